"""Every route of the paper's matrix, on small models of one's own in each framework's format."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import yaml

from helpers.small_torch import CLASSES, SIZE, network, pixels
from helpers.workspace import ROOT

SOURCES = {
    "torch": "model.pt2",
    "keras": "model.h5",
    "tensorflow": "saved",
    "tflite": "model.tflite",
}
# The SavedModel has two signatures, one of which takes images and has two outputs, as has the Keras
# file; both take any size.
NAMED = {
    "keras": {"output_name": "logits"},
    "tensorflow": {"signature": "predict", "output_name": "logits"},
}
# what tf2onnx leaves of a batch norm is added to the channels, which onnx2keras adds to the rows
BROKEN = {("tensorflow", "keras", "tf2onnx_nchw+onnx2keras"): ("convert", "ValueError")}


def entry(source: str, name: str) -> dict:
    """A model's entry in a config."""
    return {
        "name": f"small_{source}",
        "source": source,
        "file": f"small/{name}",
        "classes": CLASSES,
        "input": {
            "size": SIZE,
            "layout": "NCHW" if source == "torch" else "NHWC",
            "channels": "RGB",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace with photographs and small models."""
    space = workspace.copy(tmp_path_factory.mktemp("converters") / "space")
    photographs = sorted((space.path / "photographs").glob("*.jpg"))
    images = np.stack([pixels(path) for path in photographs])
    folder = space.path / "small"
    folder.mkdir()
    np.save(folder / "images.npy", images.transpose(0, 2, 3, 1))
    script = ROOT / "tests/helpers/small_models.py"
    command = [space.path / ".envs/tensorflow/bin/python", script, folder]
    subprocess.run(command, check=True, capture_output=True)
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.export.save(torch.export.export(network(), (sample,)), folder / "model.pt2")
    with torch.no_grad():
        np.save(folder / "torch.npy", network()(torch.from_numpy(images)).numpy())
    (photographs[0].parent / "labels.csv").unlink()  # they are ImageNet's
    return space


@pytest.fixture(scope="module")
def logits(space) -> tuple[xr.Dataset, dict[str, np.ndarray], pd.DataFrame]:
    """The dataset of a study of all routes, and each source's answers by its own framework."""
    content = yaml.safe_load((space.path / "config/paper.yaml").read_text())
    content |= {
        "study": "routes",
        "images": {"folder": "photographs"},
        "backends": ["native", "O4"],
        "preprocessing": ["source"],
        # TVM's own importer beside the way through ONNX, for PyTorch and TFLite
        "tvm_imports": {"torch": [[], ["torch_onnx"]]},
        "models": [entry(source, name) | NAMED.get(source, {}) for source, name in SOURCES.items()],
    }
    del content["weights"]
    config = space.path / "routes.yaml"
    config.write_text(yaml.safe_dump(content))
    space.run(config)
    with xr.open_dataset(space.path / "results/routes/study.nc") as dataset:
        photographs = sorted(path.name for path in (space.path / "photographs").glob("*.jpg"))
        assert list(dataset.image.values) == photographs
        answers = {source: np.load(space.path / f"small/{source}.npy") for source in SOURCES}
        return dataset.load(), answers, pd.read_csv(space.path / "results/routes/tables/routes.csv")


def test_every_route_is_there(logits):
    dataset, _, routes = logits
    content = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    declared = {
        (source, target, "+".join(route) or "unconverted")
        for source, targets in content["conversions"].items()
        for target, ways in targets.items()
        for route in ways
    }
    names = ("source", "target", "route")
    assert set(zip(*(dataset[name].values for name in names), strict=True)) == declared
    assert set(zip(*(routes[name] for name in names), strict=True)) == declared


def test_each_answers_as_its_source_does(logits):
    dataset, answers, _ = logits
    for index in range(dataset.sizes["cell"]):
        cell = dataset.isel(cell=index)
        names = tuple(cell[name].item() for name in ("source", "target", "route"))
        if names in BROKEN:
            error = cell.failed_stage.item(), cell.error_type.item()
            assert (cell.status.item(), error) == ("failed", BROKEN[names])
            continue
        assert cell.status.item() == "ok", (names, cell.error_message.item())
        expected = answers[names[0]]
        assert np.ptp(expected, axis=0).max() > 0.1  # the images are told apart
        np.testing.assert_allclose(
            cell.logits.values, expected, atol=1e-4 * np.abs(expected).max(), err_msg=str(names)
        )
        order = np.argsort(-expected, axis=1)
        assert (cell.label.values[:, 0] == order[:, 0]).all()


def test_the_ways_into_tvm_are_cells_of_their_own(logits):
    dataset, _, _ = logits
    torch_cells = (dataset.target == "torch") & (dataset.backend == "O4")
    assert set(dataset.importer.values[torch_cells.values]) == {"direct", "torch_onnx"}


def test_the_table_says_how_each_route_ended(logits):
    _, _, routes = logits
    for _, row in routes.iterrows():
        names = row.source, row.target, row.route
        assert (row.outcome == "failed") == (names in BROKEN), names
        if names in BROKEN:
            assert (row.failed_stage, row.error_type) == BROKEN[names]


@pytest.mark.parametrize(
    ("file", "named", "said"),
    [
        ("saved", {}, "models.small_tensorflow.signature is missing, and the model has 2 sign"),
        ("saved", {"signature": "predict"}, "output_name is missing, and the model has 2 outputs"),
        ("jpeg", {}, "no signature of the SavedModel takes images: 'serving_default' (takes 'j"),
    ],
)
def test_a_savedmodel_that_needs_a_decision_is_refused_in_one_sentence(space, file, named, said):
    number = f"{file}{len(named)}"
    content = {
        "images": {"folder": "photographs"},
        "models": [entry("tensorflow", file) | named],
        "conversions": {"tensorflow": {"tensorflow": [[]]}},
        "tvm_imports": {"tensorflow": []},
        "backends": ["native"],
    }
    config = space.path / f"{number}.yaml"
    config.write_text(yaml.safe_dump(content))
    path = f"results/{number}/models/small_tensorflow/tensorflow/unconverted.savedmodel.tar.json"
    space.run(config, targets=(path,))
    record = json.loads((space.path / path).read_text())
    assert record["status"] == "failed"
    assert said in record["error"]["message"]
    assert "\n" not in record["error"]["message"]
