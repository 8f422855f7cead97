"""One table of the study, and what its module must offer."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from numbers import Integral
from typing import Protocol

import pandas as pd

from deltann import registry
from deltann.tables.study import Columns, Study


class TableModule(Protocol):
    """A module in `deltann/tables/` that is a table.

    Attributes:
        CATEGORY: the report's category, one of `registry.CATEGORIES`.
        TITLE: what the report lists it by.
        CAPTION: what the report says of the table.
        COLUMNS: the table's columns, in order, each with its meaning and unit.

    `NEEDS`, one of `deltann.study.conditions.CONDITIONS`, says what a study must have for the table
    to have rows. Without it, any study fills the table.
    """

    CATEGORY: str
    TITLE: str
    CAPTION: str
    COLUMNS: Columns

    def rows(self, study: Study) -> Iterator[dict]:
        """The table's rows. A row may lack columns; they stay empty."""


class MarkdownModule(TableModule, Protocol):
    """A table that is also laid out for reading: a module with `MARKDOWN = True`."""

    MARKDOWN: bool

    def markdown(self, table: pd.DataFrame) -> str:
        """The computed table as markdown."""


def table(name: str, study: Study) -> pd.DataFrame:
    """One table, with the same columns whatever the study holds.

    Args:
        name: a key of `registry.tables()`.
        study: the cells.

    Returns:
        A column of whole numbers has the type Int64, so that an empty cell makes no floats of them.
    """
    module: TableModule = import_module(registry.tables()[name].module)
    rows = list(module.rows(study))
    frame = pd.DataFrame(rows, columns=list(module.COLUMNS))
    whole = [column for column in frame if _whole(row.get(column) for row in rows)]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def markdown(name: str, computed: pd.DataFrame) -> str:
    """A table in markdown.

    Args:
        name: that of a table whose module has `MARKDOWN = True`.
        computed: the table, of `table`.
    """
    module: MarkdownModule = import_module(registry.tables()[name].module)
    return module.markdown(computed)


def _whole(values: Iterable[object]) -> bool:
    """Whether all values that aren't missing are whole numbers, and there is one."""
    present = [value for value in values if value is not None and value == value]
    return bool(present) and all(isinstance(value, Integral) for value in present)
