"""The text that `make study` prints at its end; computes nothing.

The summary itself is in the study's folder. The text is short enough for a terminal's window, and
what it leaves out it counts.
"""

import textwrap
from pathlib import Path

from deltann.study import layout

# The text has at most so many lines, and the summary in it after `make try`.
LINES, TRIED_LINES = 25, 16
WIDTH = 118  # letters of a line
IN_SHORT, FAILURES, TO_DO = "In short", "Failures", "What to do"
# So many causes of failures are printed.
CAUSES = 3
# What to do, by how the summary's lines begin: the most urgent first. Others aren't printed.
URGENT = ("Don't ", "Impossible ", "Look at ", "Time ", "Take care ", "Take more ")


def text(study: Path) -> str:
    """Where the results of the study in a folder are, and its summary in short."""
    if (study / layout.OPERATOR_SUMMARY).exists():
        return _of_operators(study)
    needed = {
        "dataset": study / layout.DATASET,
        "figures": study / layout.FIGURES,
        "tables": study / layout.TABLES,
        "summary": study / layout.SUMMARY,
    }
    missing = [f"{name} ({path})" for name, path in needed.items() if not path.exists()]
    if missing:
        return (
            f"\nThe study in {study} is not finished; missing: {', '.join(missing)}. Run it again"
        )
    pages = {"report": study / layout.REPORT, "explorer": study / layout.EXPLORER}
    shown = {name: path for name, path in pages.items() if path.exists()} | needed
    lines = ["", *(f"{name + ':':10}{path}" for name, path in shown.items()), ""]
    return "\n".join([*lines, *_short(study, LINES - len(lines))])


def _of_operators(study: Path) -> str:
    """The same of a study of operators: how many answers are right, and what is wrong."""
    shown = {
        "matrix": study / layout.operator_figure(".png"),
        "summary": study / layout.OPERATOR_SUMMARY,
        "answers": study / layout.OPERATOR_MATRIX,
    }
    lines = ["", *(f"{name + ':':10}{path}" for name, path in shown.items()), ""]
    written = shown["summary"].read_text(encoding="utf-8").splitlines()
    counts = next((line for line in written if line and not line.startswith("#")), "")
    wrong = [line for line in written if line.startswith("- ")]
    lines += textwrap.wrap(counts, WIDTH)
    room = LINES - len(lines) - 1
    lines += [_clipped(line) for line in wrong[:room]]
    more = len(wrong) - room
    return "\n".join([*lines, *([f"  and {more} more in the summary"] if more > 0 else [])])


def answer(study: Path) -> str:
    """The summary in short of the study in a folder, which may have no figures."""
    return "\n".join(_short(study, TRIED_LINES))


def _short(study: Path, most: int) -> list[str]:
    """At most so many lines: warnings, what was found, what failed, what to do."""
    markdown = (study / layout.SUMMARY).read_text(encoding="utf-8")
    title, *_ = markdown.split("\n## ")
    warnings = [line.strip("*") for line in title.splitlines() if line.startswith("**")]
    found = _sections(markdown)
    failed = [line for line in found[FAILURES] if line != "none"]
    urgent = [line for start in URGENT for line in found[TO_DO] if line.startswith(start)]
    lines = [_clipped(line) for line in warnings]
    failures = _listed(FAILURES, failed, CAUSES) if failed else []
    room = most - len(lines) - len(failures)
    to_do = _listed(TO_DO, urgent, max(1, min(3, room // 4))) if urgent else []
    lines += _in_short(found[IN_SHORT], room - len(to_do))
    return [*lines, *failures, *to_do]


def _in_short(items: list[str], most: int) -> list[str]:
    """As many items as fit, each on as many lines as it takes."""
    lines, left = [IN_SHORT], list(items)
    while left:
        wrapped = textwrap.wrap(
            f"- {left[0]}", WIDTH, subsequent_indent="  ", break_on_hyphens=False
        )
        if len(lines) + len(wrapped) + (len(left) > 1) > most:
            break
        lines += wrapped
        left.pop(0)
    return lines + ([f"  and {len(left)} more in {layout.SUMMARY}"] if left else [])


def _listed(title: str, items: list[str], most: int) -> list[str]:
    """A section with its first items, a line each, and the number of the others."""
    more = f" ({len(items) - most} more in {layout.SUMMARY})" if len(items) > most else ""
    return [f"{title}{more}", *(_clipped(f"- {item}") for item in items[:most])]


def _clipped(line: str) -> str:
    """A line cut between words."""
    return textwrap.shorten(line, WIDTH, placeholder=" …")


def _sections(markdown: str) -> dict[str, list[str]]:
    """The items of a text's second-level sections, by title."""
    parts = (part.partition("\n") for part in markdown.split("\n## ")[1:])
    return {title: body.strip().removeprefix("- ").split("\n- ") for title, _, body in parts}
