"""The table and the figure that docs/extending.md adds work as they stand there."""

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest

from deltann import registry
from deltann.tables.study import Study

TEXT = Path("docs/extending.md").read_text(encoding="utf-8")


@pytest.fixture
def package(tmp_path):
    """A package of the two modules only."""
    for room in (registry.TABLES, registry.FIGURES):
        path = f"scripts/deltann/{room}/spread.py"
        (code,) = re.findall(rf"`{path}`:\n\n```python\n(.*?)```", TEXT, re.S)
        (tmp_path / room).mkdir()
        (tmp_path / room / "spread.py").write_text(code)
    return tmp_path


def load(path):
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_table_and_a_figure_are_a_module_each(package, sample):
    assert list(registry.tables(package)) == list(registry.figures(package)) == ["spread"]
    table = load(package / "tables/spread.py")
    rows = pd.DataFrame(table.rows(Study(sample)), columns=table.COLUMNS)
    assert len(rows) == 5 and rows["slowest_over_fastest"].notna().sum() == 4
    (page,) = load(package / "figures/spread.py").draw(rows)
    assert len(page.axes[0].patches) == len(rows)
