"""Whose convention prepares the images, and which library resizes them, as axes of the grid."""

import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from PIL import Image

from helpers.workspace import ROOT

ENVIRONMENTS = {
    "pillow": "images",
    "torchvision": "torch",
    "tensorflow": "tensorflow",
    "opencv": "opencv",
}
RESIZE, CROP = 256, 224  # EfficientNet-Lite0's


@pytest.fixture(scope="module")
def resized(workspace):
    """EfficientNet-Lite0 by all four resizers; its results."""
    config = workspace.config(
        "resized",
        conversions={"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}},
        backends=["native"],
        resizers=list(ENVIRONMENTS),
    )
    workspace.run(config)
    return workspace.path / "results/resized"


@pytest.mark.parametrize("library", list(ENVIRONMENTS))
def test_pixels_are_the_librarys_own(workspace, resized, tmp_path, library):
    with xr.open_dataset(resized / f"inputs/{RESIZE}-{CROP}-bicubic/{library}.nc") as prepared:
        name = prepared.image.values[0]
        pixels = prepared.pixels.values[0]
    photograph = workspace.path / "photographs" / name
    sides = Image.open(photograph).size
    width, height = (int(RESIZE * side / min(sides)) for side in sides)
    answer = tmp_path / "resized.npy"
    script = ROOT / "tests/helpers/resized.py"
    python = workspace.path / ".envs" / ENVIRONMENTS[library] / "bin/python"
    command = [python, script, library, photograph, str(width), str(height), answer]
    subprocess.run(command, check=True)
    left, top = round((width - CROP) / 2), round((height - CROP) / 2)
    expected = np.load(answer)[top : top + CROP, left : left + CROP]
    np.testing.assert_array_equal(pixels, expected)


def test_the_table_holds_the_file_equal(resized):
    inputs = pd.read_csv(resized / "tables/inputs.csv")
    assert set(inputs.resizer_a) == {"pillow"}
    for _, rows in inputs.groupby("target"):
        assert set(rows.resizer_b) == set(ENVIRONMENTS) - {"pillow"}
    with xr.open_dataset(resized / "study.nc") as dataset:
        for _, row in inputs.iterrows():
            of = {
                resizer: dataset.isel(
                    cell=np.flatnonzero(
                        (dataset.target == row.target) & (dataset.resizer == resizer)
                    )
                )
                for resizer in (row.resizer_a, row.resizer_b)
            }
            a, b = (found.logits.values[0] for found in of.values())
            assert row.differing == (a.argmax(1) != b.argmax(1)).sum()
            assert row.max_logit_difference == pytest.approx(np.abs(a - b).max(), rel=1e-5)
            # torchvision resizes bytes as Pillow does, to the last bit where it has AVX2
            assert row.max_logit_difference > 0 or row.resizer_b == "torchvision"


@pytest.fixture(scope="module")
def conventions(workspace):
    """A Keras model, also in PyTorch, its images prepared in every way; the results."""
    config = workspace.config(
        "conventions",
        models=["mobilenet_v2"],
        weights="seeded",
        edges={"keras_onnx_10": {"converter": "keras_onnx", "opset": 10}},
        conversions={"keras": {"keras": [[]], "torch": [["keras_onnx_10", "onnx2torch"]]}},
        backends=["native"],
        preprocessing=["source", "target", "imagenet", "tensorflow", "caffe", "raw"],
    )
    said = workspace.run(config)
    assert (
        "preprocessing tensorflow is the same as source for mobilenet_v2 from keras to keras, "
        "mobilenet_v2 from keras to torch: these cells are there once, as source"
    ) in said
    return workspace.path / "results/conventions"


def squeezed(workspace, name: str) -> np.ndarray:
    """keras.utils.load_img: uint8 (224, 224, 3)."""
    image = Image.open(workspace.path / "photographs" / name).convert("RGB")
    return np.asarray(image.resize((224, 224), Image.NEAREST))


def cut_out(workspace, name: str) -> np.ndarray:
    """torchvision's transforms for MobileNet_V2_Weights.IMAGENET1K_V2: float32 (224, 224, 3)."""
    image = Image.open(workspace.path / "photographs" / name).convert("RGB")
    sides = [int(232 * side / min(image.size)) for side in image.size]
    large = image.resize(sides, Image.BILINEAR)
    left, top = (round((side - 224) / 2) for side in large.size)
    cropped = np.asarray(large.crop((left, top, left + 224, top + 224)), np.float32) / 255
    return np.float32((cropped - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])


def test_every_preparation_is_the_frameworks_own(workspace, conventions, tmp_path):
    """The cells' logits are the model's on what keras.applications and torchvision prepare."""
    with xr.open_dataset(conventions / "study.nc") as dataset:
        cells = list(zip(dataset.target.values, dataset.preprocessing.values, strict=True))
        logits, names = dataset.logits.values, dataset.image.values
    others = ["imagenet", "caffe", "raw"]  # tensorflow is Keras's own
    assert [name for target, name in cells if target == "keras"] == ["source", *others]
    assert [name for target, name in cells if target == "torch"] == ["source", "target", *others]
    pixels = np.stack([squeezed(workspace, name) for name in names])
    files = tmp_path / "pixels.npy", tmp_path / "prepared.npz"
    np.save(files[0], pixels)
    python = workspace.path / ".envs/tensorflow/bin/python"
    subprocess.run([python, ROOT / "tests/helpers/preprocess_input.py", *files], check=True)
    prepared = dict(np.load(files[1]))
    prepared["source"] = prepared.pop("tensorflow")
    prepared["target"] = np.stack([cut_out(workspace, name) for name in names])
    model = conventions / "models/mobilenet_v2/keras/keras_onnx_10+onnx2torch.pt2"
    network = torch.export.load(model).module()
    for (_, name), found in zip(cells, logits, strict=True):
        with torch.no_grad():
            expected = np.concatenate([network(torch.tensor(x[None])) for x in prepared[name]])
        # bytes as they are make logits larger, and their rounding errors too
        np.testing.assert_allclose(found, expected, atol=max(1e-2, 1e-3 * np.abs(expected).max()))
        assert (found.argmax(1) == expected.argmax(1)).all()


def test_another_convention_changes_labels(conventions):
    """The most common mistake of a deployment has its own cells, and nothing is its own rival."""
    table = pd.read_csv(conventions / "tables/inputs.csv")
    assert set(table.preprocessing_a) == {"source"}
    wrong = table[table.preprocessing_b.isin(["caffe", "raw"])]
    assert len(wrong) == 4 and (wrong.differing > 0).all()
    assert (table.max_logit_difference > 0).all()
