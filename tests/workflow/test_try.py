"""`make try`: one line for a model file and a folder of images."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
import torch
import xarray as xr
import yaml
from PIL import Image

from helpers.workspace import ROOT, SNAKEMAKE

SIZE, CLASSES = 48, 40
MODEL, IMAGES = "my net's.onnx", "my photographs"
TO_ONNX = (
    "import sys, torch\nprogram = torch.export.load(sys.argv[1])\n"
    "torch.onnx.export(program, dynamo=True).save(sys.argv[2])\n"
)


class Network(torch.nn.Module):
    """Its answer is how bright the image is, so a wrong convention gives a wrong one.

    It takes NHWC, which onnx2tf has to be told.
    """

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.convolution = torch.nn.Conv2d(3, 8, 3, stride=3)
        self.dense = torch.nn.Linear(8, CLASSES)
        levels = torch.linspace(-1, 1, CLASSES)
        with torch.no_grad():
            self.convolution.weight[0] = 1 / 27  # the mean of all pixels
            self.convolution.bias[0] = 0
            self.dense.weight *= 1e-3
            # the nearest level: -(mean - level)², without what is the same for all of them
            self.dense.weight[:, 0] = 40 * levels
            self.dense.bias[:] = -20 * levels**2

    def forward(self, batch):
        features = self.convolution(batch.permute(0, 3, 1, 2))
        return self.dense(torch.nn.functional.avg_pool2d(features, SIZE // 3).flatten(1))


def answers(path) -> np.ndarray:
    """The logits for a photograph whose values are from -1 to 1."""
    image = Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
    batch = torch.from_numpy(np.asarray(image, np.float32) / 127.5 - 1)[None]
    with torch.no_grad():
        return Network().eval()(batch)[0].numpy()


@pytest.fixture(scope="module")
def tried(workspace, tmp_path_factory):
    """A workspace in which a model was tried, whose labels are right for values from -1 to 1."""
    space = workspace.copy(tmp_path_factory.mktemp("try") / "space")
    folder = space.path / IMAGES
    shutil.copytree(space.path / "photographs", folder)
    rows = [f"{path.name},{answers(path).argmax()}" for path in sorted(folder.glob("*.jpg"))]
    (folder / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    program = torch.export.export(Network().eval(), (torch.zeros(1, SIZE, SIZE, 3),))
    torch.export.save(program, space.path / "net.pt2")
    python = space.path / ".envs/torch/bin/python"
    subprocess.run([python, "-c", TO_ONNX, space.path / "net.pt2", space.path / MODEL], check=True)
    return space, make_try(space)


def make_try(space, **more: str) -> subprocess.CompletedProcess:
    """`make try`, as a user types it."""
    given = {"MODEL": MODEL, "IMAGES": IMAGES} | more
    words = [f"{name}={value}" for name, value in given.items()]
    command = ["make", "try", "--old-file=.venv/ready", f"SNAKEMAKE={SNAKEMAKE}", *words]
    return subprocess.run(
        command, cwd=space.path, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_the_convention_is_found_and_the_answer_printed(tried):
    _, done = tried
    assert done.returncode == 0, done.stdout + done.stderr
    count = len(list((tried[0].path / IMAGES).glob("*.jpg")))
    assert f"tried on {count} images in the model's own runtime" in done.stdout
    assert f"tensorflow  right on {count} of {count} labelled images" in done.stdout
    assert f"Proposed: tensorflow, because the model is right on {count} of {count}" in done.stdout
    assert "- 5 cells: 5 ran, 0 failed" in done.stdout
    assert "make study CONFIG=config/my-net-s.yaml" in done.stdout


def test_the_config_says_what_the_file_says(tried):
    space, _ = tried
    text = (space.path / "config/my-net-s.yaml").read_text()
    config = yaml.safe_load(text)
    assert config["images"] == {"folder": IMAGES}
    assert config["models"] == [
        {
            "name": "my-net-s",
            "source": "onnx",
            "file": MODEL,
            "input": {"size": SIZE, "layout": "NHWC", "convention": "tensorflow"},
            "classes": CLASSES,
        }
    ]
    assert f"float32, 1 × {SIZE} × {SIZE} × 3" in text


def test_every_cell_answers_as_the_model_does(tried):
    space, _ = tried
    with xr.open_dataset(space.path / "results/my-net-s/study.nc") as dataset:
        names = dataset.image.values
        expected = np.stack([answers(space.path / IMAGES / name) for name in names])
        assert sorted(dataset.target.values) == ["onnx", "onnx", "onnx", "tensorflow", "tflite"]
        assert set(dataset.backend.values) == {"native", "O0", "O4"}
        for logits in dataset.logits.values:
            np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_the_written_config_is_the_one_that_ran(tried):
    space, _ = tried
    config = space.path / "config/my-net-s.yaml"
    assert space.jobs(config, ("results/my-net-s/summary.md",)) == {}


def test_a_config_is_not_overwritten(tried):
    space, _ = tried
    before = (space.path / "config/my-net-s.yaml").read_bytes()
    done = make_try(space)
    assert done.returncode != 0
    assert "config/my-net-s.yaml exists and is kept" in done.stderr
    assert (space.path / "config/my-net-s.yaml").read_bytes() == before


def test_labels_that_are_no_classes_are_refused_before_a_job(tried):
    space, _ = tried
    done = make_try(space, IMAGES="photographs", CONFIG="config/other.yaml")
    assert done.returncode != 0
    assert "expected one of model other's classes, 0 to 39" in done.stderr
    assert not (space.path / "config/other.yaml").exists()
    assert "Traceback" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def descriptions(workspace, tmp_path_factory) -> dict:
    """What is read in small files of several formats, by the file's name."""
    folder = tmp_path_factory.mktemp("described")
    found: dict = {}
    for environment, made in (("torch", "torch"), ("tensorflow", "keras"), ("tflite", "tflite")):
        python = workspace.path / f".envs/{environment}/bin/python"
        command = [python, ROOT / "tests/helpers/described_models.py", made, folder]
        variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
        done = subprocess.run(command, capture_output=True, text=True, env=variables)
        assert done.returncode == 0, done.stderr[-4000:]
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "program.pt2",
            {"shape": [0, 1, 32, 32], "outputs": {"logits": [1, 10], "features": [1, 10, 30, 30]}},
        ),
        ("script.pt", {"shape": [0, 3, 32, 32], "dtype": "float16", "size_tried": True}),
        (
            "model.keras",
            {
                "input_name": "image",
                "shape": [0, 0, 0, 3],
                "outputs": {"classes": [0, 10]},
                "normalises": "Rescaling to_one",
            },
        ),
        ("saved", {"input_name": "image", "outputs": {"output_0": [0, 10]}}),
        ("saved.tar", {"shape": [0, 0, 0, 3], "precision": "float32"}),
        ("plain.tflite", {"shape": [0, 0, 0, 3], "dtype": "float32", "scale": None}),
    ],
)
def test_a_file_says_what_it_takes_and_gives(descriptions, name, expected):
    assert descriptions[name].items() >= expected.items()


def test_the_metadata_of_a_tflite_file_are_read(descriptions):
    assert descriptions["metadata"] == [[127.5 / 255] * 3, [64 / 255] * 3]
    assert descriptions["none"] == [[], []]
