"""Captions of the report. Snakemake takes a caption only as a file."""

import json
from pathlib import Path

from deltann import registry
from deltann.provenance import files

FOLDER = Path(".snakemake/captions")
FIGURES = "figures"


def write() -> None:
    """Write the caption of each table, and the one of all figures."""
    for name, table in registry.tables().items():
        _write(path(f"{registry.TABLES}/{name}"), table.caption)
    # A caption's path has no wildcards, so this one chooses its text when the report is made.
    captions = {name: figure.caption for name, figure in registry.figures().items()}
    _write(
        path(FIGURES),
        f"{{{{ {json.dumps(captions)}[snakemake.wildcards.figure] }}}} The figure says over how"
        " many images it is, and what hatched and hollow marks mean.",
    )


def path(name: str) -> Path:
    """The file of a caption: of a table, `tables/<name>`, or of all figures, `figures`."""
    return FOLDER.resolve() / f"{name}.rst"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        files.write_text(path, text)
