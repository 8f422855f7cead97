"""The benchmarks' configs and made-up files are still what the study accepts."""

import argparse
import importlib
from pathlib import Path

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
