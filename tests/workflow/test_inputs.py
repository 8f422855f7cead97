"""Models that take something else than three float32 channels of a square, through the workflow."""

import json
import subprocess

import numpy as np
import pytest
import torch
import xarray as xr
import yaml
from PIL import Image

from helpers.workspace import ROOT

SIZE, HEIGHT, WIDTH, CLASSES = 32, 24, 40, 10
STEP = 1 / 256  # of probabilities in eight bits
EXACT = 128 / 255  # as mean and std: (pixel - 128) / 128


def network():
    """A small PyTorch module of one channel and of half precision, with an output (1, N, 1, 1)."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Conv2d(8, CLASSES, 1),
    ).eval()


def pixels(path, width: int, height: int, mode: str) -> np.ndarray:
    """A photograph, squeezed: uint8 (height, width[, 3])."""
    image = Image.open(path).convert("RGB").resize((width, height), Image.BILINEAR)
    return np.asarray(image.convert(mode))


def entry(name: str, source: str, file: str, **taken) -> dict:
    """A model's entry in the config."""
    return {"name": name, "source": source, "file": file, "classes": CLASSES, "input": taken}


@pytest.fixture(scope="module")
def answers(workspace, tmp_path_factory):
    """The dataset of a study of the models, and by model the expected answers (image, class)."""
    space = workspace.copy(tmp_path_factory.mktemp("inputs") / "space")
    (space.path / "photographs/labels.csv").unlink()  # those of ImageNet
    photographs = sorted((space.path / "photographs").glob("*.jpg"))
    squares = [pixels(path, SIZE, SIZE, "RGB") for path in photographs]
    np.save(space.path / "pixels.npy", np.stack(squares))
    helper = [ROOT / "tests/helpers/quantized_tflite.py", space.path, str(SIZE)]
    python = space.path / ".envs/tensorflow/bin/python"
    done = subprocess.run([python, *helper], check=True, capture_output=True, text=True)
    types = json.loads(done.stdout.splitlines()[-1])
    assert types == {"uint8": [1 / 128, 128], "int8": [1 / 128, 0]}

    grays = [pixels(path, WIDTH, HEIGHT, "L") for path in photographs]
    batch = torch.from_numpy(np.stack(grays)[:, None].astype(np.float32) / 255).half()
    half = network().half()
    torch.export.save(torch.export.export(half, (batch[:1],)), space.path / "half.pt2")
    with torch.no_grad():
        expected = {"half": torch.cat([half(one[None]) for one in batch]).float().numpy()}
    expected["half"] = expected["half"].reshape(len(photographs), CLASSES)
    expected |= {name: np.load(space.path / f"{name}.npy") for name in types}

    gray = {"channels": "gray", "mean": [0], "std": [1], "layout": "NCHW"}
    exact = {"channels": "RGB", "mean": [EXACT] * 3, "std": [EXACT] * 3, "layout": "NHWC"}
    config = {
        "study": "inputs",
        "images": {"folder": "photographs"},
        "models": [
            entry("half", "torch", "half.pt2", size=[HEIGHT, WIDTH], **gray),
            *(entry(name, "tflite", f"{name}.tflite", size=SIZE, **exact) for name in types),
        ],
        "conversions": {
            "torch": {"torch": [[]], "onnx": [["torch_onnx"]]},
            "tflite": {"tflite": [[]], "onnx": [["tflite_onnx"]]},
        },
        "backends": ["native", "O0"],
        # TVM 0.27 makes float32 of a float16 convolution that it imports from PyTorch
        "tvm_imports": {"torch": [], "onnx": [[]], "tflite": [[]]},
        "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
        "timing": {"repeats": 1},
    }
    (space.path / "inputs.yaml").write_text(yaml.safe_dump(config))
    space.run(space.path / "inputs.yaml", targets=("results/inputs/study.nc",))
    with xr.open_dataset(space.path / "results/inputs/study.nc") as dataset:
        yield dataset.load(), expected


@pytest.mark.parametrize(
    ("model", "count", "output", "tolerance"),
    [
        ("half", 3, "logits", 2e-3),
        ("uint8", 4, "probabilities", 1.01 * STEP),
        ("int8", 4, "probabilities", 1.01 * STEP),
    ],
)
def test_every_cell_answers_as_the_models_own_framework(answers, model, count, output, tolerance):
    dataset, expected = answers
    cells = dataset.isel(cell=dataset.model.values == model)
    assert set(cells.status.values) == {"ok"}, cells.error_message.values.tolist()
    assert cells.sizes["cell"] == count
    assert np.ptp(expected[model], axis=0).max() > 10 * tolerance  # images differ
    for logits in cells.logits.values:
        np.testing.assert_allclose(logits, expected[model], atol=tolerance)
    assert set(cells.output.values) == {output}


@pytest.mark.parametrize("model", ["uint8", "int8"])
def test_whole_numbers_are_those_of_the_file(answers, model):
    """No pixel is one off, and no probability: the file's own runtime answers the same bits."""
    dataset, expected = answers
    own = dataset.isel(
        cell=(dataset.model.values == model)
        & (dataset.target.values == "tflite")
        & (dataset.backend.values == "native")
    )
    assert np.array_equal(own.logits.values[0], expected[model])
