"""A small sweep over operators: a known fault is found, and nothing else is called wrong."""

import pandas as pd
import pytest

ROUTES = {
    "torch": [
        {"route": [], "backends": ["native"]},
        {"route": ["torch_onnx"], "backends": ["native"]},
    ],
    "onnx": [{"route": [], "backends": ["native"]}],
}


SWEPT = {"kinds": ["average_pool", "softmax"], "every": 4, "routes": ROUTES}


@pytest.fixture(scope="module")
def folder(workspace):
    workspace.run(workspace.config("sweep", operators=SWEPT))
    return workspace.path / "results/sweep/operators"


def test_the_exporter_drops_a_divisor(folder):
    table = pd.read_csv(folder / "matrix.csv")
    wrong = table[table["status"] == "wrong"]
    assert set(wrong["case"].str.contains("divisor_override")) == {True}
    assert set(wrong["route"]) == {"torch_onnx"}
    assert wrong["begins"].all()
    assert (table["status"] == "right").sum() > 10


def test_what_is_wrong_is_said_and_drawn(folder):
    text = (folder / "summary.md").read_text()
    assert "**torch_onnx, native** (models of torch): average_pool" in text
    for suffix in (".pdf", ".png"):
        assert (folder / f"matrix{suffix}").stat().st_size > 10_000
    counts = pd.read_csv(folder / "counts.csv")
    assert set(counts["kind"]) == {"average_pool", "softmax"}


def test_a_second_run_does_nothing(workspace, folder):
    assert workspace.jobs(workspace.path / "sweep.yaml") == {}


def test_other_cases_are_made_again(workspace, folder):
    path = workspace.config("sweep", operators=SWEPT | {"every": 5})
    assert workspace.jobs(path)["operator_models"] == 3
    workspace.config("sweep", operators=SWEPT)
