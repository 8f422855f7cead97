"""What a study must have for a table to show something: known from its config and cells alone."""

import pandas as pd
import pytest
import xarray as xr

from deltann import registry
from deltann.cell import NATIVE_RUN, SOURCE, UNCONVERTED, Cell
from deltann.dataset import kernel_times
from deltann.errors import StudyError
from deltann.models import paper
from deltann.study import conditions
from deltann.tables import compute, published
from deltann.tables.study import Study
from helpers.made_up_cells import CONVERTED, NATIVE, cell, compilation, ran, study, timed, untimed

PASSES = {"fold": ("FoldConstant",), "two": ("FuseOps", "FoldConstant")}
DEVICES = {"cpu": {"target": {"kind": "llvm"}}, "gpu": {"target": {"kind": "cuda"}}}
DEVICES |= {"board": {"target": {"kind": "llvm"}, "rpc": {"host": "board"}}}
DEVICES |= {"arm": {"target": {"kind": "llvm"}, "emulated": True}}
CONFIG = {"pass_sets": PASSES, "devices": DEVICES}
COMPILED = {"comparisons", "compiled cells", "other backends", "timed kernels"}
LEVELS = {"O0": (), "O2": ("FuseOps", "FoldConstant"), **PASSES}
O0, O2 = cell("torch", "O0"), cell("torch", "O2")
SETTINGS = {**NATIVE_RUN, "backend": "slow"}
# Cells, and the conditions that they meet.
STUDIES = {
    "one cell": ([NATIVE], set()),
    "a conversion": (
        [NATIVE, CONVERTED],
        {"comparisons", "conversions", "frameworks", "targets", "timed factors"},
    ),
    "two sources": (
        [NATIVE, cell("keras", source="keras")],
        {"sources", "frameworks", "timed factors"},
    ),
    "two devices": ([NATIVE, cell("torch", device="gpu")], {"devices", "timed factors"}),
    "an emulated device": ([NATIVE, cell("torch", device="arm")], set()),
    "two resizers": ([NATIVE, cell("torch", resizer="opencv")], {"preparations"}),
    "two conventions": (
        [NATIVE, cell("torch", preprocessing="imagenet")],
        {"preparations", "comparisons", "frameworks"},
    ),
    "a level": ([NATIVE, O0], COMPILED),
    "a level on a GPU": ([cell("torch", "O0", device="gpu")], COMPILED - {"timed kernels"}),
    "a level on a board": ([cell("torch", "O0", device="board")], COMPILED - {"timed kernels"}),
    "two levels": (
        [O0, O2],
        COMPILED | {"levels", "timed factors"},
    ),
    "two settings": (
        [cell("torch", **SETTINGS), cell("torch", **{**SETTINGS, "backend": "fast"})],
        {"comparisons", "other backends", "levels", "timed factors"},
    ),
    "one pass alone": (
        [O0, cell("torch", "fold")],
        COMPILED | {"single passes"},
    ),
    "two passes together": (
        [O0, cell("torch", "two")],
        COMPILED,
    ),
    "levels of the paper": (
        [cell("torch", level, model="resnet101") for level in ("O0", "O2")],
        COMPILED | {"levels", "timed factors", "published levels"},
    ),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_meets_its_conditions_and_no_others(name):
    cells, expected = STUDIES[name]
    met = {key for key, condition in conditions.CONDITIONS.items() if condition(CONFIG, cells)}
    assert met == expected
    filled = conditions.tables(CONFIG, cells)
    for table in registry.tables().values():
        assert (table.name in filled) == (not table.needs or table.needs in met)
    drawn = conditions.figures(CONFIG, cells)
    assert {figure.table for figure in drawn.values()} <= filled.keys()
    assert {"latency", "pareto"} <= drawn.keys()


@pytest.mark.parametrize("name", STUDIES)
def test_a_table_has_rows_exactly_if_its_condition_holds(name, tmp_path):
    cells, _ = STUDIES[name]
    with study(tmp_path, list(map(planted_cell, cells))) as dataset:
        planted, filled = Study(dataset), conditions.tables(CONFIG, cells)
        for table in registry.tables().values():
            if table.needs:
                computed = compute.table(table.name, planted)
                if table.markdown:
                    assert compute.markdown(table.name, computed).startswith("# ")
                found = telling(table.name, computed)
                assert found.empty == (table.name not in filled), table.name


def planted_cell(where: Cell) -> xr.Dataset:
    """A cell that ran, with a kernel's time if it ran on a processor of this machine."""
    if DEVICES[where.device].get("emulated"):
        return untimed(where)
    if not where.compiled:
        return ran(where)
    here = where.device == "cpu"
    kernels = timed(kernel=(1, 1e-5, 1e6, 1e4, 0.0)) if here else kernel_times.NOTHING
    return ran(where, compiled=compilation(LEVELS[where.backend]), timed=kernels)


def telling(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that say something: some tables have a row for what is compared with itself."""
    if name == "published":
        return table[table["status"] != "not in this run"]
    if name == "devices":
        return table[table["device"] != table["reference_device"]]
    if name == "frameworks":
        own = (table["route"] == UNCONVERTED) & (table["preprocessing"] == SOURCE)
        return table[~own | (table["comparison"] == "native")]
    return table


def test_the_models_of_the_paper_have_one_list():
    assert set(published.MODELS.values()) == set(paper.MODELS)
    assert set(published.LEVELS.values()) == set(conditions.PUBLISHED_LEVELS)


def test_every_condition_is_one_that_a_module_needs():
    declared = {*registry.tables().values(), *registry.figures().values()}
    assert {item.needs for item in declared} - {""} == set(conditions.CONDITIONS)


def test_an_unknown_condition_is_refused(monkeypatch):
    known = registry.tables()
    wrong = registry.Table("bytes", "Bytes", "Time", "Bytes.", "divices", False)
    monkeypatch.setattr(registry, "tables", lambda: known | {"bytes": wrong})
    with pytest.raises(StudyError, match=r"tables/bytes\.py: NEEDS is 'divices'; expected one of"):
        conditions.tables(CONFIG, [NATIVE])
