"""Cells of many images: in parts, with memory that doesn't grow, and going on after an end."""

import json
import shlex
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from deltann.dataset import predictions
from deltann.images import prepared
from helpers.workspace import kill_family

SIZE, CLASSES = 96, 10
MANY, SOME, FEW = 2500, 1000, 200
CELL = "mine/onnx/onnx/unconverted/source/pillow/none/runtime/runtime/native/cpu"

INPUTS = f"inputs/{SIZE}-{SIZE}-bilinear/pillow.nc"

# A process inherits the peak of the one that starts it: a small one must.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture(scope="module")
def space(workspace, tmp_path_factory):
    """A workspace with many pictures and a small model of one's own."""
    made = workspace.copy(tmp_path_factory.mktemp("progress") / "space")
    folder = made.path / "my-model"
    (folder / "images").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE + 8, SIZE + 8, 3), dtype=np.uint8)
    for number in range(MANY):
        picture = Image.fromarray(np.roll(pixels, (number // SIZE, number % SIZE), (0, 1)))
        picture.save(folder / "images" / f"{number:05}.bmp")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 16, CLASSES),
    )
    torch.export.save(
        torch.export.export(network.eval(), (torch.zeros(1, 3, SIZE, SIZE),)), folder / "model.pt2"
    )
    to_onnx = (
        "import sys, torch\nprogram = torch.export.load(sys.argv[1])\n"
        "torch.onnx.export(program, dynamo=True).save(sys.argv[2], external_data=False)\n"
    )
    paths = [folder / "model.pt2", folder / "model.onnx"]
    subprocess.run([made.path / ".envs/torch/bin/python", "-c", to_onnx, *paths], check=True)
    return made


def study(space, name: str, images: int, repeats: int = 2):
    """A study of one cell on so many of the pictures."""
    content = yaml.safe_load((space.path / "config/my-model.yaml").read_text())
    content["models"][0]["input"] |= {"size": SIZE, "resize": SIZE}
    content["images"]["subset"] = {"count": images, "seed": 0}
    content |= {"study": name, "backends": ["native"]}
    content["timing"] = {"repeats": repeats}
    path = space.path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def cell_of(space, name: str):
    """Its prediction file."""
    return space.path / f"results/{name}/predictions/{CELL}.nc"


def log_of(space, name: str) -> str:
    """The log of its inference."""
    return (space.path / f"results/{name}/logs/infer/{CELL}.log").read_text()


def command(space, config, target: str) -> list[str]:
    """The command line by which Snakemake would make a file now."""
    shown = space.run(config, "--dry-run", "--printshellcmds", targets=(target,))
    (line,) = [line for line in shown.splitlines() if "scripts/infer.py" in line]
    return shlex.split(line.removeprefix("Shell command: ").split(" > ")[0])


def peak_bytes(space, name: str, images: int) -> int:
    """Run a study's one inference by hand: the peak memory of its processes."""
    config = study(space, name, images, repeats=1)
    inputs = f"results/{name}/{INPUTS}"
    model = f"results/{name}/models/mine/onnx/unconverted.onnx"
    space.run(config, targets=(inputs, model))
    target = str(cell_of(space, name).relative_to(space.path))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command(space, config, target)],
        cwd=space.path,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert len(predictions.read(cell_of(space, name)).image) == images
    return 1024 * int(done.stdout.split()[-1])


@pytest.fixture(scope="module")
def peaks(space):
    """Peak bytes by number of images, of cells that weren't interrupted."""
    return {count: peak_bytes(space, f"of{count}", count) for count in (FEW, MANY)}


def test_memory_does_not_grow_with_the_images(peaks):
    one_part = prepared.PART_IMAGES * SIZE * SIZE * 3
    assert MANY * SIZE * SIZE * 3 > 4 * one_part  # would be seen, were all of them in memory
    assert peaks[MANY] - peaks[FEW] < 1.5 * one_part


def interrupt(space, config, name: str, parts: int) -> None:
    """Kill a run and its jobs as soon as its cell has so many finished parts."""
    folder = space.path / f"results/{name}/predictions/{CELL}.nc.progress"
    process = subprocess.Popen(
        space.command(config, targets=(f"results/{name}/predictions/{CELL}.nc",)),
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 120
    while len(list(folder.glob("*.npz"))) < parts:
        assert time.monotonic() < end and process.poll() is None, "the cell wasn't seen at work"
        time.sleep(0.005)
    kill_family(process)
    assert not cell_of(space, name).exists()


def test_a_killed_cell_goes_on_after_its_last_part(space, peaks):
    config = study(space, "killed", MANY, repeats=4)
    interrupt(space, config, "killed", parts=1)
    interrupt(space, config, "killed", parts=2)
    folder = space.path / f"results/killed/predictions/{CELL}.nc.progress"
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    interrupt(space, config, "killed", parts=len(kept) + 1)
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}.items()
    space.run(config, targets=(f"results/killed/predictions/{CELL}.nc",))
    resumed = predictions.read(cell_of(space, "killed"))
    whole = predictions.read(cell_of(space, f"of{MANY}"))
    for name in ("logits", "label", "probability", "true_label", "image"):
        assert resumed[name].equals(whole[name]), name
    assert len(np.unique(resumed["logits"].values, axis=0)) > MANY // 2
    assert json.loads(resumed.provenance)["sessions"] == 4
    assert json.loads(whole.provenance)["sessions"] == 1
    said = log_of(space, "killed")
    assert "images 0 to 500: done by an interrupted job" in said
    assert f" of {MANY} images" in said
    assert not folder.exists()


def test_parts_of_other_images_are_not_taken(space):
    config = study(space, "changed", SOME, repeats=4)
    interrupt(space, config, "changed", parts=1)
    with prepared.open_file(space.path / f"results/changed/{INPUTS}") as stack:
        first, other = stack.names[0], stack.names[-1]
    picture = space.path / "my-model/images" / first
    before = picture.read_bytes()
    picture.write_bytes(picture.with_name(other).read_bytes())
    space.run(config, targets=(f"results/changed/predictions/{CELL}.nc",))
    picture.write_bytes(before)
    found = predictions.read(cell_of(space, "changed"))
    assert json.loads(found.provenance)["sessions"] == 1
    logits = found["logits"].sel(image=[first, other]).values
    assert logits[0].tobytes() == logits[1].tobytes()
