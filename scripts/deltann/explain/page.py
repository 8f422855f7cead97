"""The facts as an HTML page."""

from html import escape
from pathlib import Path
from string import Template

from deltann.explain import sections
from deltann.explain.formatting import marked, number
from deltann.explain.sections import table

HERE = Path(__file__).parent
# The cell and the native one, each with its readable name.
NAMES = ("cell", "cell_name", "native", "native_name")


def page(facts: dict) -> str:
    """A self-contained HTML page.

    Args:
        facts: those that `explain.explain` collects.
    """
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        **{name: escape(facts[name]) for name in NAMES},
        verdict="\n".join(f"<p>{marked(line)}</p>" for line in facts["verdict"]),
        stages=sections.stages(facts),
        chain=sections.chain(facts),
        localisations=sections.localisations(facts),
        losses=sections.losses(facts),
        images=_images(facts),
        passes=_passes(facts) if "sets" in facts else "",
        reproduce=escape(facts["reproduce"]),
        example=marked(f"{facts['cell'].rpartition('/')[2]}.zip: {facts['example']}"),
    )


def _passes(facts: dict) -> str:
    """The sections of a compiled cell."""
    return "\n".join(
        [
            "<h2>Sets of passes tried</h2>",
            "<p>Each set is compared with the reference: the same import, compiled without passes",
            "and schedule.</p>",
            _sets(facts),
            "<h2>The kernel</h2>",
            _kernel(facts),
        ]
    )


def _images(facts: dict) -> str:
    who = [name for name in facts["images"][0] if name != "image"]
    head = ["image", *(f"{name}: {what}" for name in who for what in ("label", "margin"))]
    head += [f"{name}: difference" for name in who[1:]]
    rows = [
        [
            row["image"],
            *(
                part
                for name in who
                for part in (_class(facts, row[name]["label"]), number(row[name]["margin"]))
            ),
            *(number(row[name]["difference"]) for name in who[1:]),
        ]
        for row in facts["images"]
    ]
    return table(head, rows)


def _class(facts: dict, label: int) -> object:
    """A class's name, or its number if it has none."""
    return facts["class_names"][label] if label < len(facts["class_names"]) else label


def _sets(facts: dict) -> str:
    rows = [
        [
            ", ".join(row["switches"]) or "none: the reference",
            row["error"] or number(row["difference"]),
            "" if row["labels_moved"] is None else row["labels_moved"],
            "fails" if row["fails"] else "",
        ]
        for row in facts["sets"]
    ]
    return table(["switched on", "difference", "labels moved", ""], rows)


def _kernel(facts: dict) -> str:
    kernel = facts["kernel"]
    if kernel is None:
        return "<p>None.</p>"
    difference = kernel["difference"] or {}
    rows = [
        ["kernel", f"{kernel['name']} (#{kernel['number']})"],
        ["its result", _shape(kernel["shape"])],
        *(
            [f"input {count}", _input(item, facts["compared_with"])]
            for count, item in enumerate(kernel["inputs"], 1)
        ),
        ["compared with", f"{kernel['should_be'] or 'nothing'}, of {facts['compared_with']}"],
        ["largest difference", number(difference["largest"]) if difference else ""],
        ["over the largest element", number(difference["relative"]) if difference else ""],
        ["elements that differ", _differing(difference)],
    ]
    around = [
        [
            f"{'→ ' * (item['number'] == kernel['number'])}{item['name']} (#{item['number']})",
            _shape(item["shape"]),
            item["same_as"] or "no counterpart",
        ]
        for item in facts["around"]
    ]
    parts = [table(["", ""], rows), "<h3>The kernels around it</h3>"]
    parts.append(table(["kernel", "result", f"in {facts['compared_with']}"], around))
    for title, name in (("Its TVMScript", "script"), ("As scheduled", "scheduled_script")):
        if kernel[name]:
            parts.append(f"<h3>{title}</h3>\n<pre>{escape(kernel[name])}</pre>")
    return "\n".join(parts)


def _differing(difference: dict) -> str:
    return f"{difference['differing']} of {difference['elements']}" if difference else ""


def _shape(sides: list[int]) -> str:
    return " × ".join(map(str, sides))


def _input(item: dict, against: str) -> str:
    same = f", the same as {item['same_as']}'s in {against}" if item["same_as"] else ""
    return f"{_shape(item['shape'])}, from {item['written_by']}{same}"
