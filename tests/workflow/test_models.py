"""Models of one's own through the workflow, and what is refused."""

import json
import os
import shutil
import subprocess

import numpy as np
import onnxruntime
import pytest
import torch
import xarray as xr
import yaml
from PIL import Image

from helpers.workspace import ROOT, is_an_input

SIZE, RESIZE, CLASSES = 64, 72, 10
NAMES = "my-model/classes.txt"


def batch(path) -> np.ndarray:
    """A photograph as config/my-model.yaml declares it."""
    image = Image.open(path).convert("RGB")
    sides = [int(RESIZE * side / min(image.size)) for side in image.size]
    image = image.resize(sides, Image.BILINEAR)
    left, top = (round((side - SIZE) / 2) for side in image.size)
    values = np.asarray(image.crop((left, top, left + SIZE, top + SIZE)), np.float32) / 255
    values = (values - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return values.transpose(2, 0, 1)[None].astype(np.float32)


def network(classes: int = CLASSES):
    """A small PyTorch module, the same at every call."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 16, classes),
    ).eval()


class Pair(torch.nn.Module):
    """A model with two outputs, the second of which has the classes."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, batch):
        return self.network[0](batch), self.network(batch)


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace with a folder of one's own: photographs, and PyTorch models in each format."""
    made = workspace.copy(tmp_path_factory.mktemp("models") / "space")
    folder = made.path / "my-model"
    folder.mkdir()
    (folder / "images").mkdir()
    for photograph in (made.path / "photographs").glob("*.jpg"):  # without their ImageNet labels
        shutil.copy2(photograph, folder / "images")
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.export.save(torch.export.export(network(), (sample,)), folder / "model.pt2")
    to_onnx = (
        "import sys, torch\nprogram = torch.export.load(sys.argv[1])\n"
        "torch.onnx.export(program, dynamo=True).save(sys.argv[2], external_data=True)\n"
    )
    python = made.path / ".envs/torch/bin/python"
    paths = [folder / "model.pt2", folder / "model.onnx"]
    subprocess.run([python, "-c", to_onnx, *paths], check=True)
    torch.jit.trace(Pair(network()), sample).save(folder / "model.pt")
    weights = {f"module.{name}": value for name, value in network().state_dict().items()}
    torch.save({"net": weights, "epoch": 3}, folder / "net.pth")
    (made.path / NAMES).write_text("".join(f"number {k}\n" for k in range(CLASSES)))
    (folder / "net.py").write_text(
        "import torch\nfrom blocks import stem\n\n\ndef build():\n"
        "    return torch.nn.Sequential(\n        *stem(),\n        torch.nn.ReLU(),\n"
        "        torch.nn.AdaptiveAvgPool2d(4),\n        torch.nn.Flatten(),\n"
        "        torch.nn.Linear(8 * 16, 10),\n    )\n"
    )
    (folder / "blocks.py").write_text(
        "import torch\n\n\ndef stem():\n"
        "    return [torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)]\n"
    )
    return made


def example(space) -> dict:
    """The shipped example's content."""
    return yaml.safe_load((space.path / "config/my-model.yaml").read_text())


def write(space, name: str, **changes) -> object:
    """The example with another study name and changes in its model's description."""
    content = example(space) | {"study": name}
    content["models"] = [content["models"][0] | changes]
    for key in [key for key, value in changes.items() if value is None]:
        del content["models"][0][key]
    source = content["models"][0]["source"]
    content |= {"conversions": {source: {source: [[]]}}, "tvm_imports": {source: [[]]}}
    path = space.path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def expected(space, images) -> np.ndarray:
    folder = space.path / "my-model"
    batches = [batch(folder / "images" / name) for name in images]
    with torch.no_grad():
        return np.concatenate([network()(torch.from_numpy(item)).numpy() for item in batches])


def test_the_shipped_example_runs_as_it_stands(space):
    space.run(space.path / "config/my-model.yaml")
    with xr.open_dataset(space.path / "results/my-model/study.nc") as dataset:
        assert set(dataset.backend.values) == {"native", "O0", "O3"}
        names = dataset.image.values
        for logits in dataset.logits.values:
            np.testing.assert_allclose(logits, expected(space, names), atol=1e-4)
        session = onnxruntime.InferenceSession(space.path / "my-model/model.onnx")
        (declared,) = session.get_inputs()
        again = [
            session.run(None, {declared.name: batch(space.path / "my-model/images" / name)})[0]
            for name in names
        ]
        native = dataset.logits[list(dataset.backend.values).index("native")]
        np.testing.assert_allclose(native, np.concatenate(again), atol=1e-5)
    is_an_input(space, space.path / "config/my-model.yaml", "my-model", "model.onnx.data")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("program", {"file": "my-model/model.pt2"}),
        ("script", {"file": "my-model/model.pt", "output_name": 1, "class_names": NAMES}),
        (
            "code",
            {
                "file": None,
                "code": {"file": "my-model/net.py", "function": "build"},
                "weights": {"torch": "my-model/net.pth"},
            },
        ),
    ],
)
def test_a_pytorch_model_of_ones_own(space, name, changes):
    config = write(space, name, source="torch", **changes)
    explorer = f"results/{name}/explorer.html"
    space.run(config, targets=(explorer,))
    assert ('"number 9"' in (space.path / explorer).read_text()) == ("class_names" in changes)
    with xr.open_dataset(space.path / f"results/{name}/study.nc") as dataset:
        assert set(dataset.status.values) == {"ok"}
        for logits in dataset.logits.values:
            np.testing.assert_allclose(logits, expected(space, dataset.image.values), atol=1e-4)
    if name == "code":
        is_an_input(space, config, name, "blocks.py")
        is_an_input(space, config, name, "net.pth")


def test_probabilities_stay_as_the_model_says_them(space):
    """No softmax is taken of a softmax, in any cell, and nobody had to declare anything."""
    model = torch.nn.Sequential(network(), torch.nn.Softmax(1))
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.jit.trace(model, sample).save(space.path / "my-model/softmax.pt")
    config = write(space, "softmax", source="torch", file="my-model/softmax.pt")
    space.run(config, targets=("results/softmax/study.nc",))
    with xr.open_dataset(space.path / "results/softmax/study.nc") as dataset:
        assert set(dataset.output.values) == {"probabilities"}
        logits = expected(space, dataset.image.values)
        said = torch.from_numpy(logits).softmax(1).sort(1, descending=True).values[:, :5]
        for probability in dataset.probability.values:
            np.testing.assert_allclose(probability, said, atol=1e-6)


def test_a_model_that_answers_nan_is_a_failed_export(space):
    """TVM's cells of such a model may run, with finite answers: the file fails as a whole."""
    model = network()
    model[0].weight.data[0, 0, 0, 0] = np.nan
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.jit.trace(model, sample).save(space.path / "my-model/nan.pt")
    config = write(space, "nan", source="torch", file="my-model/nan.pt")
    space.run(config, targets=("results/nan/study.nc",))
    with xr.open_dataset(space.path / "results/nan/study.nc") as dataset:
        assert set(dataset.failed_stage.values) == {"export"}
        for message in dataset.error_message.values:
            assert "in its own runtime the model answers NaN for 4 of 4 test images" in message


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("eleven", {"classes": 11}, "declared: classes 11, background 0, so (1, 11)"),
        ("background", {"classes": 9}, "needs background: 1"),
        (
            "size",
            {"input": {"size": 32, "layout": "NCHW", "channels": "RGB"}},
            "takes (1, 3, 64, 64)",
        ),
        ("layout", {"input": {"size": 64, "layout": "NHWC", "channels": "RGB"}}, "layout NHWC"),
    ],
)
def test_a_wrong_declaration_is_a_clear_failure(space, name, changes, said):
    if "input" in changes:
        changes = {"input": changes["input"] | {"mean": [0, 0, 0], "std": [1, 1, 1]}}
    config = write(space, name, **changes)
    record = f"results/{name}/models/mine/onnx/unconverted.onnx.json"
    space.run(config, targets=(record,))
    found = json.loads((space.path / record).read_text())
    assert found["status"] == "failed"
    assert said in found["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": "my-model/none.onnx"}, "'my-model/none.onnx' doesn't exist"),
        ({"file": "my-model/net.py"}, "expected a file ending in"),
        ({"sha256": "0" * 64}, "the model has 2 files"),
        (
            {"source": "torch", "file": "my-model/model.pt", "sha256": "0" * 64},
            "has another digest",
        ),
        ({"source": "caffe"}, "unknown framework 'caffe'"),
        ({"weights": {"onnx": "none.pth"}}, "models.mine.weights.onnx: 'none.pth' doesn't exist"),
        (
            {"weights": {"onnx": {"file": "config/my-model.yaml", "sha256": "0" * 64}}},
            "has another",
        ),
    ],
)
def test_a_wrong_description_is_refused_before_any_job(space, changes, said):
    config = write(space, "refused", **changes)
    done = space.snakemake(config, "--dry-run")
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout


@pytest.fixture(scope="module")
def keras_files(workspace, tmp_path_factory):
    """What the study makes of Keras files as people bring them, and whether code in one ran."""
    folder = tmp_path_factory.mktemp("keras_files")
    script = ROOT / "tests/helpers/given_keras.py"
    variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [workspace.path / ".envs/tensorflow/bin/python", script, folder]
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr[-4000:]
    assert not (folder / "canary").exists()
    return json.loads(done.stdout.splitlines()[-1])


TAKEN = ("plain.keras", "whole.h5", "WHOLE.HDF5", "open.keras", "open.h5", "sequential.keras")


@pytest.mark.parametrize("name", [*TAKEN, "two.keras", "dict.keras", "list.keras"])
def test_a_keras_file_answers_as_keras_does_for_the_declared_size(keras_files, name):
    expected = {"same": True, "takes": [32, 32, 3], "copied": name == "plain.keras"}
    assert keras_files[name] == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two.h5", "models.mine.output_name is missing, and the model has 2 outputs: 'a' (any"),
        ("inputs.keras", "the model has 2 inputs"),
        ("lambda.keras", "has Python code in the layer 'evil' (a Lambda)"),
        ("lambda.h5", "has Python code in the layer 'evil' (a Lambda)"),
        ("custom.keras", "has 'Custom', which isn't of Keras"),
        ("custom.h5", "has 'Custom', which isn't of Keras"),
        ("large.keras", "mine.input.size: the model takes any size, but doesn't run with 32"),
        ("only.weights.h5", "has only weights, no model"),
    ],
)
def test_a_keras_file_that_the_study_cant_take_is_refused_in_one_sentence(keras_files, name, said):
    message = keras_files[name]["refused"]
    assert said in message and "; expected" in message
    assert "\n" not in message and "\x1b" not in message
