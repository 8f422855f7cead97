"""What failed: one line per cause, each with its own cells."""

import pandas as pd

from deltann.cell import DIRECT, NO_IMPORT, UNCONVERTED
from deltann.execution.messages import telling
from deltann.summary.formatting import NAMED, count, route, some
from deltann.tables.study import Study

# So many causes are listed.
CAUSES = 20


def lines(study: Study) -> list[str]:
    """One line per cause: the stage, the tool, the error, the line that tells, and the cells."""
    failed = study.cells[study.cells["status"] != "ok"]
    if failed.empty:
        return ["none"]
    known = failed.assign(
        told=failed["error_message"].map(telling),
        tool=[_tool(row, study.failed_file(cell)) for cell, row in failed.iterrows()],
    )
    by = ["failed_stage", "tool", "error_type", "told"]
    groups = list(known.groupby(by, sort=False))
    said = [
        f"{stage}{f' by {tool}' if tool else ''}, {error}, {count(len(rows), 'cell')}: "
        f"{_where(rows, bool(tool))}: {told}"
        for (stage, tool, error, told), rows in groups[:CAUSES]
    ]
    more = len(groups) - len(said)
    return said + ([f"and {count(more, 'more cause')} (tables/conversions.csv)"] if more else [])


def _tool(row: pd.Series, file: str) -> str:
    """The converter or importer that failed to make a file.

    The file is named by the edges that lead to it, the last of which failed.
    """
    if row["failed_stage"] != "convert" or not file:
        return ""
    edges = file.split(".")[0].split("+")
    before = 0 if row["route"] == UNCONVERTED else len(row["route"].split("+"))
    return f"{'importer ' if len(edges) > before else ''}{edges[-1]}"


def _where(rows: pd.DataFrame, converted: bool) -> str:
    """The routes of some cells, with how many cells each has."""
    imported = converted and rows["tool"].iloc[0].startswith("importer ")
    names = pd.Series([_name(row, imported or not converted) for _, row in rows.iterrows()])
    return some([f"{name} ({size})" for name, size in _sizes(names)], "; ", 2 * NAMED)


def _sizes(names: pd.Series) -> list[tuple[str, int]]:
    return [(str(name), len(group)) for name, group in names.groupby(names, sort=False)]


def _name(row: pd.Series, with_import: bool) -> str:
    """A cell's route, and its import into TVM if the failure may depend on it."""
    if not with_import or row["importer"] in (NO_IMPORT, DIRECT):
        return route(row)
    return f"{route(row)}, import {row['importer']}"
