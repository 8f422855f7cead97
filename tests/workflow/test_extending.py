"""All additions of docs/extending.md, applied from its text, work in one study."""

import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import yaml
from PIL import Image

from helpers import additions
from helpers.workspace import Workspace

CROP, RESIZE = 64, 72
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def extended(workspace, tmp_path_factory) -> Workspace:
    """A workspace with all additions, and the study `extended` finished."""
    space = workspace.copy(tmp_path_factory.mktemp("extended") / "space")
    for diff in additions.diffs().values():
        subprocess.run(["git", "apply", "-"], cwd=space.path, input=diff, text=True, check=True)
    devices = yaml.safe_load((space.path / "config/config.yaml").read_text())["devices"]
    chosen = {name: devices[name] for name in ("cpu", "avx2-one-thread")}
    space.run(space.config("extended", devices=chosen, **additions.changes()))
    return space


@pytest.fixture(scope="module")
def study(extended) -> xr.Dataset:
    return xr.load_dataset(extended.path / "results/extended/study.nc")


def cell(study: xr.Dataset, **names: str) -> xr.Dataset:
    """The one cell with these names."""
    chosen = np.logical_and.reduce([study[name].values == value for name, value in names.items()])
    (number,) = np.flatnonzero(chosen)
    return study.isel(cell=number)


def test_every_cell_runs(study):
    assert set(study.status.values) == {"ok"}
    assert set(study.target.values) == {"torch", "onnx", "onnx_reference"}
    assert set(study.device.values) == {"cpu", "avx2-one-thread"}
    assert set(study.backend.values) == {"native", "O0", "O5"}


def test_the_model_answers_as_the_same_layers_do_outside_of_the_study(extended, study):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 16 * 16, 1000),
    ).eval()
    (prepared,) = (extended.path / "results/extended/inputs").rglob("pillow.nc")
    with xr.open_dataset(prepared) as dataset:
        pixels = dataset["pixels"].values.astype(np.float32) / 255
    batch = torch.from_numpy(((pixels - MEAN) / STD).transpose(0, 3, 1, 2))
    with torch.no_grad():
        expected = network(batch).numpy()
    names = {"target": "torch", "backend": "native", "resizer": "pillow"}
    np.testing.assert_allclose(cell(study, **names).logits, expected, rtol=1e-4, atol=1e-4)


def test_the_framework_and_its_converter_give_the_answers_of_onnx_runtime(study):
    for resizer in ("pillow", "pillow_transform"):
        names = {"backend": "native", "resizer": resizer}
        reference = cell(study, target="onnx_reference", **names).logits
        expected = cell(study, target="onnx", **names).logits
        np.testing.assert_allclose(reference, expected, rtol=1e-4, atol=1e-4)


def test_the_resizer_prepares_the_images(extended):
    (prepared,) = (extended.path / "results/extended/inputs").rglob("pillow_transform.nc")
    with xr.open_dataset(prepared) as dataset:
        name, pixels = dataset["image"].values[0].item(), dataset["pixels"].values[0]
    image = Image.open(extended.path / "photographs" / name).convert("RGB")
    assert image.width == image.height  # so that the short side is both
    whole = (0, 0, *image.size)
    small = image.transform(
        (RESIZE, RESIZE), Image.Transform.EXTENT, whole, Image.Resampling.BILINEAR
    )
    edge = (RESIZE - CROP) // 2
    np.testing.assert_array_equal(pixels, np.asarray(small)[edge : edge + CROP, edge : edge + CROP])


def test_the_level_has_its_pass(extended):
    table = pd.read_csv(extended.path / "results/extended/tables/compilations.csv")
    added = table[table.backend == "O5"]
    assert len(added) and added.passes.str.contains("RemoveRedundantReshape").all()
    assert not table[table.backend == "O0"].passes.astype(str).str.contains("Redundant").any()


def test_the_metric_is_a_column(extended, study):
    table = pd.read_csv(extended.path / "results/extended/tables/conversions.csv")
    row = table.query(
        "target == 'onnx' and backend == 'native' and resizer == 'pillow_transform'"
    ).iloc[0]
    labels = {
        target: cell(study, target=target, backend="native", resizer=resizer).label.values
        for target, resizer in (("torch", "pillow_transform"), ("onnx", "pillow_transform"))
    }
    same = (labels["torch"] == labels["onnx"]).all(axis=1)
    assert row.mean_same_order == pytest.approx(same.mean())


def test_the_table_and_the_figure_are_made(extended, study):
    results = extended.path / "results/extended"
    table = pd.read_csv(results / "tables/confidence.csv")
    assert len(table) == study.sizes["cell"]
    expected = 100 * np.median(study.probability.values[:, :, 0], axis=1)
    np.testing.assert_allclose(table.median_percent, expected, rtol=1e-4)
    assert Image.open(results / "figures/confidence.png").width > 500
    assert "confidence" in (results / "grid.json").read_text()
