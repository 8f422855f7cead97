"""Readable names beside the rows of a table: of its cells, and of the files that they run."""

import pandas as pd

from deltann.cell import NAMES, UNCONVERTED
from deltann.tables.study import Study

CELL, FILE = "cell_name", "file_name"


def named(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table with the columns `cell_name` and `file_name`.

    The name of a model file, such as `tflite by litert_torch`, says the model and the source only
    where the study has several.

    Args:
        table: of this study. Without all names of a cell it gets no `cell_name`. A row of no cell
            has an empty one.
        study: the cells.
    """
    cells = study.cells
    several = {name: cells[name].nunique() > 1 for name in ("model", "source")}
    target = "target" if "target" in table else "framework"
    files = table[["model", "source", target, "route"]].itertuples(index=False, name=None)
    table = table.assign(**{FILE: [_file(several, *names) for names in files]})
    if not set(NAMES) <= set(table):
        return table
    known = dict(zip(_keys(cells), cells[CELL], strict=True))
    return table.assign(**{CELL: [known.get(key, "") for key in _keys(table)]})


def _keys(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(rows[list(NAMES)].itertuples(index=False, name=None))


def _file(several: dict[str, bool], model: str, source: str, target: str, route: str) -> str:
    start = f"{model}: " if several["model"] else ""
    if route == UNCONVERTED:
        return f"{start}{source}"
    return f"{start}{f'{source} to ' if several['source'] else ''}{target} by {route}"
