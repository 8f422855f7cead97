"""The columns of all tables: what they mean, and their units."""

from collections.abc import Iterator
from importlib import import_module

from deltann import registry
from deltann.tables.study import Columns, Study

CATEGORY = "Guide"
TITLE = "The columns of all tables"
CAPTION = (
    "One row per column of each table: its meaning and its unit. The unit 1 is a count or a number "
    "without a unit; text has none."
)
COLUMNS: Columns = {
    "table": ("name of the table, whose file is <table>.csv", ""),
    "column": ("name of the column", ""),
    "meaning": ("what the column says", ""),
    "unit": ("its unit, as the CF conventions write it", ""),
}


def rows(study: Study) -> Iterator[dict]:
    """One row per table and column, whatever the study holds."""
    for name, table in registry.tables().items():
        for column, (meaning, unit) in import_module(table.module).COLUMNS.items():
            yield {"table": name, "column": column, "meaning": meaning, "unit": unit}
