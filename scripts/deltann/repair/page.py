"""The facts of a repair as an HTML page."""

from html import escape
from pathlib import Path
from string import Template

from deltann.explain.sections import table

HERE = Path(__file__).parent


def page(facts: dict) -> str:
    """A self-contained HTML page.

    Args:
        facts: those of `repair.repair`.
    """
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(
        cell=escape(facts["cell"]),
        cell_name=escape(facts["cell_name"]),
        verdict="\n".join(f"<p>{escape(line)}</p>" for line in facts["verdict"]),
        edges=_edges(facts),
        repairs="\n".join(_repair(item) for item in facts["repairs"]) or "<p>None was needed.</p>",
        changes=_changes(facts),
        usage=_usage(facts),
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _edges(facts: dict) -> str:
    rows = [
        [
            item["edge"],
            item["converter"],
            "" if item["labels"] is None else f"{item['labels']} of {item['images']}",
            _number(item["difference"]),
            item["why"],
        ]
        for item in facts["edges"]
    ]
    return table(["edge", "converter", "labels changed", "logits", ""], rows)


def _repair(item: dict) -> str:
    head = [
        "kind",
        "candidate",
        "outcome",
        "labels wrong",
        "logits before",
        "logits after",
        "s",
        "",
    ]
    rows = []
    for row in item["candidates"]:
        judged = row["held_out"] or row["all"] or {}
        labels = judged.get("labels")
        known = labels is not None
        rows.append(
            [
                row["kind"],
                row["candidate"],
                row["outcome"],
                f"{labels}, {item['before']['labels']} before" if known else "",
                _number(item["before"]["difference"]) if known else "",
                _number(judged.get("difference")),
                row["seconds"],
                row["why"],
            ]
        )
    located = f"<p>Localisation: {escape(item['localisation'])}</p>" if item["localisation"] else ""
    return f"<h3>{escape(item['edge'])}</h3>\n{located}\n{table(head, rows)}"


def _changes(facts: dict) -> str:
    if facts["changes_error"]:
        return f"<p>Not known: {escape(facts['changes_error'])}</p>"
    if not facts["changes"]:
        return "<p>None.</p>"
    keys = ("operator", "native", "what", "before", "after")
    rows = [[item[key] for key in keys] for item in facts["changes"]]
    return table(["operator", "kind in the file", "what", "before", "after"], rows)


def _usage(facts: dict) -> str:
    parts = []
    if facts["repaired_config"]:
        parts.append(
            "<p>As a route beside the converter's own, compiled, timed and compared like others:"
            f" add to the config</p>\n<pre>{escape(facts['repaired_config'])}</pre>"
        )
    if facts["route_config"]:
        parts.append(
            "<p>By these converters, without a repaired file: add to the config</p>"
            f"\n<pre>{escape(facts['route_config'])}</pre>"
        )
    if facts["model_config"]:
        parts.append(
            "<p>As a model of your own: a config with</p>"
            f"\n<pre>{escape(facts['model_config'])}</pre>"
        )
    return "\n".join(parts) or "<p>There is no repaired file.</p>"
