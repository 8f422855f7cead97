"""The resolved config of a study: with its defaults filled in, as the study's folder keeps it."""

import json
from pathlib import Path

from deltann.errors import StudyError
from deltann.provenance import files
from deltann.study import grid, layout


def config_text(config: dict) -> str:
    """The content of `config.json`: in the config's own order, which is that of the cells."""
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def cells_text(config: dict) -> str:
    """The content of `cells.txt`: the path of each cell's prediction file, one per line."""
    study = layout.study(config["study"])
    return "".join(f"{study}/{layout.prediction(cell)}\n" for cell in grid.cells(config))


def write(path: Path, text: str, sha256: str) -> None:
    """Write one of the texts above, if it is the one that Snakemake planned with.

    Raises:
        StudyError: it isn't: the config was changed meanwhile.
    """
    if files.checksum_bytes(text.encode()) != sha256:
        raise StudyError(f"{path}: checksum mismatch: the config was changed. Run again")
    files.write_text(path, text)
