"""The parts of the page about stages and operators."""

from collections.abc import Sequence
from html import escape

from deltann.explain import answer
from deltann.explain.formatting import marked, number, sentence
from deltann.localise.finding import Outcome

# So many layers of a lowered model are listed.
LAYERS = 20
OUTCOMES = {
    Outcome.SAME: "The files agree, run operator by operator.",
    Outcome.FOUND: "The faults below explain the whole difference.",
    Outcome.PARTLY: "The faults below explain a part of the difference.",
    Outcome.ABSTAINED: "No answer: too few tensors could be matched.",
}


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table; the text of every cell is escaped."""

    def row(kind: str, cells: Sequence[object]) -> str:
        inside = "".join(f"<{kind}>{escape(str(cell))}</{kind}>" for cell in cells)
        return f"<tr>{inside}</tr>"

    lines = [row("th", head), *(row("td", cells) for cells in rows)]
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>"


def stages(facts: dict) -> str:
    """What each stage on the way does."""
    if not facts["stages"]:
        return "<p>Nothing was run: the answers are the same up to rounding.</p>"
    rows = [
        [
            row["stage"],
            row["name"],
            "unknown" if row["differs"] is None else number(row["difference"]),
            "" if row["labels_changed"] is None else f"{row['labels_changed']} of {row['images']}",
            "changes answers" if row["differs"] else "",
            row["why"],
        ]
        for row in facts["stages"]
    ]
    return table(["stage", "what", "difference", "labels changed", "", "why"], rows)


def chain(facts: dict) -> str:
    """The model files, in order."""
    rows = [
        [item["edge"] or "unconverted", item["framework"], item["precision"], item["file"]]
        for item in facts["chain"]
    ]
    return table(["edge", "format", "computes in", "file"], rows)


def localisations(facts: dict) -> str:
    """A section for each edge that was looked into."""
    return "\n".join(_edge(found) for found in facts["localisations"])


def losses(facts: dict) -> str:
    """A section for each edge that took the model to a lower precision."""
    return "\n".join(_lost(found) for found in facts["losses"])


def _lost(found: dict) -> str:
    title = f"<h2>What {escape(found['edge'])} loses</h2>"
    if "error" in found:
        error = found["error"]
        return f"{title}\n<p>Not known: {escape(error['type'])}: {escape(error['message'])}</p>"
    about = (
        f"{found['paired']} of {found['weighted']} layers have one of the {found['source']} file "
        "with the same weights. The ratio of signal to quantization noise, in decibels, is that of "
        "the layer by itself, and in the model as it is. The worst layers come first."
    )
    rows = [
        [item["target"], item["source"], f"{item['local']:.1f}", f"{item['whole']:.1f}"]
        for item in found["layers"][:LAYERS]
    ]
    head = ["layer", f"in the {found['source']} file", "by itself", "in the model"]
    kept = [[count, left] for count, left in found["tried"]]
    parts = [title, f"<p>{escape(about)}</p>", table(head, rows)]
    if kept:
        parts.append(table(["layers kept in float32", "labels still changed"], kept))
    return "\n".join(parts)


def _edge(found: dict) -> str:
    title = f"<h2>What {escape(found['edge'])} changed</h2>"
    if "error" in found:
        error = found["error"]
        return f"{title}\n<p>Not known: {escape(error['type'])}: {escape(error['message'])}</p>"
    covered = (
        f"{OUTCOMES[Outcome(found['outcome'])]} {sentence(found['why'])} Of {found['compared']} "
        f"tensors of the {found['target']} file, {found['matched']} have an equal in "
        f"the {found['source']} file. The outputs differ by {number(found['difference'])}; up to "
        f"{number(found['noise'])} is rounding."
    )
    faults = [_fault(count, item, found) for count, item in enumerate(found["faults"], 1)]
    return "\n".join([title, f"<p>{escape(covered)}</p>", *faults])


def _fault(count: int, fault: dict, found: dict) -> str:
    what = [
        [
            item["family"],
            item["what"],
            item["source_operator"] or "none",
            item["target_operator"] or "none",
        ]
        for item in fault["differences"]
    ]
    agreed = ", ".join(" = ".join(pair) for pair in fault["agreed"]) or "none"
    rows = [
        ["verdict", f"{fault['verdict']}: {fault['why']}"],
        ["last tensors that agree", agreed],
        ["first tensors that differ", " ≠ ".join(fault["behind"])],
        ["error of this place alone", number(fault["local_error"])],
        ["left once it is mended", number(fault["left"])],
    ]
    heading = f"Fault {count}: {answer.fault_in_words(fault)}"
    parts = [f"<h3>{marked(heading)}</h3>", table(["", ""], rows)]
    if what:
        head = [
            "family",
            "what differs",
            f"{found['source']} operator",
            f"{found['target']} operator",
        ]
        parts.append(table(head, what))
    sides = [("source_operators", found["source"]), ("target_operators", found["target"])]
    columns = "".join(_side(name, fault[key]) for key, name in sides)
    parts.append(f'<div class="sides">{columns}</div>')
    return "\n".join(parts)


def _side(framework: str, operators: list[dict]) -> str:
    rows = [[f"{item['name']} ({item['native']})", _described(item)] for item in operators]
    inside = table(["operator", "what it has"], rows) if rows else "<p>No operator.</p>"
    return f"<div><h4>{escape(framework)}</h4>{inside}</div>"


def _described(operator: dict) -> str:
    parts = [f"{name} {_text(item)}" for name, item in operator["attributes"].items()]
    parts += [f"{name} {_array(item)}" for name, item in operator["parameters"].items()]
    return "; ".join([operator["kind"], *parts])


def _text(item: object) -> str:
    if isinstance(item, dict):
        return "{" + ", ".join(f"{name} {_text(part)}" for name, part in item.items()) + "}"
    if isinstance(item, list):
        return "[" + ", ".join(_text(part) for part in item) + "]"
    return f"{item:.6g}" if isinstance(item, float) else str(item)


def _array(item: object) -> str:
    """An array's shape, its range, and the start of its checksum."""
    if not isinstance(item, dict) or "sha256" not in item:
        return _text(item)
    sides = " × ".join(map(str, item["shape"])) or "one number"
    between = ""
    if "smallest" in item:
        between = f" from {_text(item['smallest'])} to {_text(item['largest'])}"
    return f"{sides}{between} (sha256 {item['sha256'][:8]})"
