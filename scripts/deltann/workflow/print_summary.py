"""The text that `make study` prints at its end; computes nothing."""

from pathlib import Path

from deltann.study import layout

# The parts of the summary that are printed.
SECTIONS = ("Cells", "Answers", "Time", "Failures", "What to do", "Images left out", "Caveats")


def text(study: Path) -> str:
    """Where the results of the study in a folder are, and its summary."""
    lines = [""]
    results = {
        "dataset": study / layout.DATASET,
        "figures": study / layout.FIGURES,
        "tables": study / layout.TABLES,
        "summary": study / layout.SUMMARY,
    }
    missing = [f"{name} ({path})" for name, path in results.items() if not path.exists()]
    if missing:
        lines.append(
            f"The study in {study} is not finished; missing: {', '.join(missing)}. Run it again"
        )
        return "\n".join(lines)
    if (study / layout.REPORT).exists():
        results["report"] = study / layout.REPORT
    lines += [f"{name + ':':10}{path}" for name, path in results.items()]
    return "\n".join([*lines, answer(study)])


def answer(study: Path) -> str:
    """The summary of the study in a folder, which may have no figures."""
    found = _sections((study / layout.SUMMARY).read_text(encoding="utf-8"))
    return "\n".join(line for title in SECTIONS for line in ("", title, found[title]))


def _sections(markdown: str) -> dict[str, str]:
    """The bodies of a text's second-level sections, by title."""
    parts = markdown.split("\n## ")[1:]
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}
