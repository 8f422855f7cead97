"""The benchmarks' configs and made-up files are still what the study accepts."""

import argparse
import importlib
from pathlib import Path

import numpy as np
import pytest
import yaml

from deltann.explorer import libraries
from deltann.study import file_checks, grid, overlay, schema, schema_errors, validation
from deltann.study.overlay import Layer

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "benchmarks").glob("*/study.yaml"))


def _resolved(paths: list[Path]) -> dict:
    layers = [Layer(str(path), yaml.safe_load(path.read_text("utf-8"))) for path in paths]
    defaults = overlay.load_defaults()
    config = overlay.lay(layers, defaults)
    schema_errors.check(config, schema.load())
    overlay.trim(config, defaults)
    schema.fill_defaults(config, schema.load())
    validation.check(config)
    return config


@pytest.mark.parametrize(
    "path",
    [path for path in STUDIES if path.parent.name != "scale"],
    ids=lambda path: path.parent.name,
)
def test_a_benchmarks_config_is_valid(path: Path) -> None:
    assert grid.cells(_resolved([path]))


def test_the_made_up_study_can_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "scale")
    workflow = importlib.import_module("workflow")
    written, count = workflow.configure(tmp_path, cells=150)

    config = _resolved([ROOT / "benchmarks" / "scale" / "study.yaml", written])
    monkeypatch.chdir(tmp_path)  # where the models are
    file_checks.check_models(config)

    assert len(grid.cells(config)) == count == 204


def test_the_made_up_explorer_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "scale")
    browser = importlib.import_module("browser")
    monkeypatch.setattr(libraries, "scripts", list)  # in another environment

    browser.plant(argparse.Namespace(size=(48, 20), page=tmp_path / "explorer.html"))

    assert "48 cells" in (tmp_path / "explorer.html").read_text("utf-8")


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> object:
    """The tables of benchmarks/compile."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "compile")
    return importlib.import_module("report")


def test_the_geometric_mean_is_that_of_the_ratios(report) -> None:
    draw = np.random.default_rng(0)
    before = draw.uniform(1, 2, (7, 5)).tolist()
    half, eight = ((np.array(before) * factor).tolist() for factor in (0.5, 8))
    assert report.geometric_mean([(before, half)]) == pytest.approx((0.5, 0.5, 0.5))
    assert report.geometric_mean([(before, half), (before, eight)]) == pytest.approx((2, 2, 2))
    noisy = (np.array(before) * draw.uniform(1, 3, (7, 1))).tolist()
    mean, low, high = report.geometric_mean([(before, noisy), (before, half)])
    assert low < mean < high


def test_a_model_is_compared_with_its_fastest_peer(report) -> None:
    results = {
        "one": {"a": [[2.0]] * 3, "b": [[1.0]] * 3, "c": [[4.0]] * 3, "ours": [[3.0]] * 3},
        "two": {"a": [[1.0]] * 3, "c": [[2.0]] * 3, "ours": [[0.5]] * 3},
    }
    *_, one, two, _, mean = report.reach(results, "ours", ["a", "b", "c"]).splitlines()
    assert one == "| one | 3000.00 | b | 3.00 | 3.00 to 3.00 | 2.00 | 1.00 | 4.00 |"
    assert two == "| two | 500.00 | a | 0.50 | 0.50 to 0.50 | 1.00 | failed | 2.00 |"
    assert mean == "Geometric mean of 2 ratios: 1.22 (1.22 to 1.22)."
