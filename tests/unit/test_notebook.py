"""The notebook of docs/: its ten questions have the right answers for a planted study."""

import json

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from deltann.dataset import aggregate
from deltann.tables import compute
from deltann.tables.study import Study
from helpers import notebook
from helpers.made_up_cells import (
    BROKEN,
    CLASSES,
    CONVERTED,
    FAST,
    IMAGES,
    NATIVE,
    REPEATS,
    SLOW,
    TOLERANCES,
    failed,
    lowered,
    ran,
    write,
)
from helpers.workspace import ROOT

NOTEBOOK = ROOT / "docs/study.ipynb"
PLOTS = 2
NAMES = [*(f"name {k}" for k in range(CLASSES - 1)), ""]


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """What the notebook defines for a study with one changed label and one failed cell."""
    matplotlib.use("agg")
    plt.close("all")
    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    origin = {"model_file": "0123456789abcdef", "machine": {"processor": "Xeon", "cores": 2}}
    cells = [
        ran(NATIVE, provenance=origin),
        ran(CONVERTED, logits=other, lowered=lowered("int8")),
        ran(SLOW),
        ran(FAST, latency=np.full((IMAGES, REPEATS), 0.005), probe_drift=1.3),
        failed(BROKEN),
    ]
    aggregate.aggregate(write(tmp_path, cells), tmp_path / "study.nc", TOLERANCES, "digest", NAMES)
    (tmp_path / "tables").mkdir()
    with xr.open_dataset(tmp_path / "study.nc") as dataset:
        for name in ("columns", "pareto"):
            table = compute.table(name, Study(dataset))
            table.to_csv(tmp_path / f"tables/{name}.csv", index=False)
    monkeypatch.setenv("STUDY", str(tmp_path))
    defined, shown = notebook.run(NOTEBOOK)
    assert len(plt.get_fignums()) == PLOTS
    plt.close("all")
    defined["study"].close()
    return defined, shown


def table(shown: list[object], *columns: str) -> pd.DataFrame:
    """The one table that is shown with these columns."""
    found = [item for item in shown if isinstance(item, pd.DataFrame)]
    (only,) = [item for item in found if set(columns) <= {*item.columns}]
    return only


def test_its_answers_are_right(answers, capsys):
    defined, shown = answers
    accuracy = table(shown, "top-1 accuracy, percent").iloc[:, 0]
    assert accuracy["onnx by to_onnx, own runtime"] == pytest.approx(100 * 5 / 6)
    assert accuracy["torch, own runtime"] == 100 and len(accuracy) == 4
    changed = table(shown, "reference says", "cell says")
    assert changed.values.tolist() == [
        ["2.jpg", "onnx by to_onnx, own runtime", "name 2", "name 7"]
    ]
    assert table(shown, "margin", "second")["margin"].is_monotonic_increasing
    assert defined["agreement"][0].tolist() == pytest.approx([100, 100 * 5 / 6, 100, 100])
    speed = table(shown, "50%")
    assert speed["50%"].to_dict() == {
        ("cpu", "O0"): 10,
        ("cpu", "O2"): 5,
        ("cpu", "native"): 10,
    }
    precision = table(shown, "megabytes")
    assert precision.loc["int8", "agreement, percent"] == pytest.approx(83.3)
    assert precision.loc["float32", "cells"] == 3
    broken = table(shown, "failed_stage", "error_type")
    assert broken.loc["keras by to_keras, own runtime", "error_type"] == "KeyError"
    assert table(shown, "probe_drift").index.tolist() == ["onnx by to_onnx, TVM O2"]
    assert defined["study"].attrs["processor"] == "Xeon"
    assert table(shown, "meaning", "column").unit.isin(["percent", "ms", "1", ""]).all()
    frontier = table(shown, "agreement_percent", "median_ms")
    assert frontier.backend.tolist() == ["O2"]


def test_a_class_without_a_name_has_its_number(answers):
    defined, _ = answers
    assert defined["names"](np.array([0, CLASSES - 1])).tolist() == ["name 0", str(CLASSES - 1)]


def test_every_output_is_stored():
    """Those of the default study, so that readers see them without running anything."""
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"]]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] for cell in code) and len(code) > 10
    questions = [cell for cell in cells if "".join(cell["source"]).startswith("## ")]
    assert len([cell for cell in questions if "?" in "".join(cell["source"])]) == 10
    assert NOTEBOOK.stat().st_size < 200_000
