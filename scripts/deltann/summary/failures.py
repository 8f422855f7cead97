"""What failed: one line per cause, each with its own cells."""

import re
from dataclasses import dataclass

import pandas as pd

from deltann.cell import DIRECT, NO_IMPORT, UNCONVERTED
from deltann.execution import messages
from deltann.summary.formatting import NAMED, clipped, count, route, some
from deltann.summary.names import named
from deltann.tables.study import Study

# So many causes are listed.
CAUSES = 20
# A set, or names that a tool lists from one: numbers, as in a shape, keep their order.
SET = re.compile(r"(?<=\{)[^{}]*(?=\})|'[^']*'(?:, '[^']*')+")


@dataclass(frozen=True)
class Cause:
    """Why some cells failed.

    Attributes:
        stage: that failed.
        tool: the converter or importer that failed to make a file, or empty.
        error: the exception's name.
        told: the line of its message that tells.
        rows: the cells, with names.
    """

    stage: str
    tool: str
    error: str
    told: str
    rows: pd.DataFrame

    @property
    def text(self) -> str:
        """The stage, the tool and the error."""
        return f"{self.stage}{f' by {self.tool}' if self.tool else ''}, {self.error}"


def causes(study: Study) -> list[Cause]:
    """The causes of all failures, in the order of their first cells."""
    failed = study.cells[study.cells["status"] != "ok"]
    if failed.empty:
        return []
    known = named(failed, study)
    known = known.assign(
        told=failed["error_message"].map(_told),
        tool=[_tool(row, study.failed_file(cell)) for cell, row in failed.iterrows()],
    )
    by = ["failed_stage", "tool", "error_type", "told"]
    return [
        Cause(stage, tool, error, told, rows)
        for (stage, tool, error, told), rows in known.groupby(by, sort=False)
    ]


def lines(found: list[Cause]) -> list[str]:
    """One line per cause: the stage, the tool, the error, the line that tells, and the cells."""
    if not found:
        return ["none"]
    said = [
        f"{cause.text}, {count(len(cause.rows), 'cell')}: "
        f"{_where(cause.rows, bool(cause.tool))}: {cause.told}"
        for cause in found[:CAUSES]
    ]
    more = len(found) - len(said)
    return said + ([f"and {count(more, 'more cause')} (tables/conversions.csv)"] if more else [])


def _told(message: str) -> str:
    """The line that tells; sets of names in it are sorted, as a tool prints them in any order."""
    line = messages.telling(message, messages.LONGEST)
    return clipped(SET.sub(_sorted, line), messages.LINE)


def _sorted(found: re.Match) -> str:
    return ", ".join(sorted(found[0].split(", ")))


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
    """A cell's file, and its import into TVM if the failure may depend on it."""
    if not with_import or row["importer"] in (NO_IMPORT, DIRECT):
        return route(row)
    return f"{route(row)}, import {row['importer']}"
