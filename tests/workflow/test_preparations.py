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


def test_the_targets_convention(workspace, tmp_path_factory):
    """A Keras model in PyTorch, its images prepared as Keras's, and as torchvision's."""
    config = workspace.config(
        "conventions",
        models=["mobilenet_v2"],
        weights="seeded",
        edges={"keras_onnx_10": {"converter": "keras_onnx", "opset": 10}},
        conversions={"keras": {"keras": [[]], "torch": [["keras_onnx_10", "onnx2torch"]]}},
        backends=["native"],
        preprocessing=["source", "target"],
    )
    workspace.run(config)
    results = workspace.path / "results/conventions"
    with xr.open_dataset(results / "study.nc") as dataset:
        cells = [*zip(dataset.target.values, dataset.preprocessing.values, strict=True)]
        assert cells == [("keras", "source"), ("torch", "source"), ("torch", "target")]
        logits, names = dataset.logits.values, dataset.image.values
    model = results / "models/mobilenet_v2/keras/keras_onnx_10+onnx2torch.pt2"
    network = torch.export.load(model).module()
    for name, by_source, by_target in zip(names, logits[1], logits[2], strict=True):
        image = Image.open(workspace.path / "photographs" / name).convert("RGB")
        # keras.utils.load_img and preprocess_input
        squeezed = np.asarray(image.resize((224, 224), Image.NEAREST), np.float32) / 127.5 - 1
        # torchvision's transforms for MobileNet_V2_Weights.IMAGENET1K_V2
        sides = [int(232 * side / min(image.size)) for side in image.size]
        large = image.resize(sides, Image.BILINEAR)
        left, top = (round((side - 224) / 2) for side in large.size)
        cropped = np.asarray(large.crop((left, top, left + 224, top + 224)), np.float32) / 255
        cropped = (cropped - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        for values, found in ((squeezed, by_source), (cropped, by_target)):
            batch = torch.from_numpy(values.astype(np.float32))[None]
            with torch.no_grad():
                expected = network(batch)[0].numpy()
            np.testing.assert_allclose(found, expected, atol=1e-2)
            assert found.argmax() == expected.argmax()
