"""Print where a study's results are, how many cells ran, and what was found; computes nothing."""

import argparse
import sys
from pathlib import Path

from deltann.study import layout

SECTIONS = ("Cells", "Answers", "Time", "Failures", "What to do", "Images left out", "Caveats")


def sections(text: str) -> dict[str, str]:
    """The bodies of a markdown text's second-level sections, by title."""
    parts = text.split("\n## ")[1:]
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}


def closing(study: Path) -> str:
    """What is printed after a run; `study` is `results/<study>`."""
    places = {
        "dataset": study / layout.DATASET,
        "figures": study / layout.FIGURES,
        "tables": study / layout.TABLES,
        "summary": study / layout.SUMMARY,
    }
    missing = [f"{name} ({path})" for name, path in places.items() if not path.exists()]
    if missing:
        return (
            f"The study in {study} is not finished; missing: {', '.join(missing)}. "
            "To go on: snakemake --cores all"
        )
    if (study / layout.REPORT).exists():
        places["report"] = study / layout.REPORT
    lines = [f"{name + ':':10}{path}" for name, path in places.items()]
    found = sections(places["summary"].read_text(encoding="utf-8"))
    for title in SECTIONS:
        lines += ["", title, found[title]]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="results/<study>")
    parser.add_argument("--exit-code", type=int, default=0, help="Snakemake's")
    options = parser.parse_args()
    if options.exit_code:
        sys.stdout.write(
            "\nSome jobs failed (see above, and results/<study>/logs). What follows is as of the "
            "last complete run.\n"
        )
    sys.stdout.write(f"\n{closing(options.study)}\n")
