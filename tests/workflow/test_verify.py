"""Damage to any file of a finished study: found by `verify`, and at the file's next use."""

import os
import shutil
from itertools import cycle

import h5py
import pytest

from deltann.archive.verify import Verification
from helpers import planted
from helpers.workspace import verify

STUDY = "results/small"


def files_of(space):
    """Every file of the study that a record must be of; of the figures and tables, a few."""
    folder = space.path / STUDY
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    few = [path for path in paths if path.parent.name in ("figures", "tables")]
    return [
        path
        for path in paths
        if path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
        and (path not in few or path.stem in ("latency", "record", "speedups"))
    ]


def flip(path) -> None:
    """Change a bit in the middle, and where that may mean nothing, in the predictions or pixels."""
    data = bytearray(path.read_bytes())
    place = len(data) // 2
    if path.suffix == ".nc" and path.name != "study.nc":
        with h5py.File(path) as file:
            variable = file["pixels" if "pixels" in file else "logits"]
            place = (
                variable.id.get_chunk_info(0).byte_offset
                if variable.chunks
                else variable.id.get_offset()
            )
    data[place] ^= 1
    path.write_bytes(data)


def truncate(path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def foreign(path) -> None:
    """Put another file of its kind in its place."""
    text = {".json": '{"digest": "0"}\n', ".csv": "image,label,sha256\n"}
    path.write_text(text.get(path.suffix, "something else\n"))


@pytest.fixture(scope="module")
def space(small, tmp_path_factory):
    """The small study in a workspace that the tests may damage."""
    return small[0].copy(tmp_path_factory.mktemp("verify") / "space", studies=True)


def test_a_whole_study_is_ok(space):
    done = verify(space)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"ok: {STUDY}: ")
    assert "4 cells, " in done.stdout and " 4 artifacts, " in done.stdout


def test_no_stage_imported_what_was_on_pythonpath(small):
    """`small` ran where PYTHONPATH and the user's folder had another numpy and Pillow."""
    assert planted.found(small[0].path / planted.FOLDER) == []


def test_damage_to_any_file_is_named(space):
    paths = files_of(space)
    assert len(paths) > 35
    for path, damage in zip(paths, cycle((flip, truncate, foreign, flip))):
        data = path.read_bytes()
        (damage if data else foreign)(path)  # the model's classes have no names: an empty file
        wrong = Verification(space.path / STUDY).wrong
        path.write_bytes(data)
        named = [line for line in wrong if line.startswith((f"{path} ", f"{path}:"))]
        assert named, (path, damage, wrong)
    assert verify(space).returncode == 0


def test_a_lost_file_is_named_and_a_strange_one_noted(space):
    prediction = next((space.path / STUDY / "predictions").rglob("*.nc"))
    lost = [space.path / STUDY / "figures/latency.pdf", prediction]
    before = {path: path.read_bytes() for path in lost}
    for path in lost:
        path.unlink()
    (space.path / STUDY / "tables/mine.csv").write_text("a\n")
    gone = space.path / STUDY / "figures/gone.json"  # of a figure that an earlier config filled
    gone.write_text("{}")
    done = verify(space)
    gone.unlink()
    for path, data in before.items():
        assert str(path.relative_to(space.path)) in done.stdout
        path.write_bytes(data)
    assert done.returncode == 1
    for name in ("tables/mine.csv", "figures/gone.json"):
        assert f"note: {STUDY}/{name} is no part of the study" in done.stdout
    assert "wrong: " in done.stdout and f"wrong: {STUDY}/figures/gone" not in done.stdout
    (space.path / STUDY / "tables/mine.csv").unlink()
    assert verify(space).returncode == 0


def test_an_image_replaced_by_an_older_file_is_named(space, small):
    """Snakemake looks into inputs that are newer than what was made of them, and no others."""
    image = next((space.path / "small-photographs").glob("*.jpg"))
    data = image.read_bytes()
    flip(image)
    os.utime(image, (1e9, 1e9))
    assert space.jobs(small[1]) == {}
    done = verify(space)
    image.write_bytes(data)
    assert done.returncode == 1
    assert f"{image.name!r} has changed since" in done.stdout


def test_another_cells_file_is_named(space):
    """A whole file, with its digest: only its names tell that it is another cell's."""
    first, second = sorted((space.path / STUDY / "predictions").rglob("*.nc"))[:2]
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    done = verify(space)
    first.write_bytes(data)
    assert done.returncode == 1
    assert f"{first.relative_to(space.path)} is the file of the cell " in done.stdout


def test_no_study_is_named(space):
    done = verify(space, "results/nothing")
    assert done.returncode == 1
    assert "results/nothing: no such folder" in done.stderr


COMPILED = "compiled/mine/torch/{}/direct/tvm/rules/O0/cpu.so"
CELL = "mine/torch/torch/unconverted/source/pillow/{}/cpu"
NATIVE, O0 = CELL.format("none/runtime/runtime/native"), CELL.format("direct/tvm/rules/O0")
TORCH, ONNX = COMPILED.format("torch/unconverted"), COMPILED.format("onnx/torch_onnx")
# By the rules that may run: each damaged file, what is to be made of it, and that job's log.
READERS = {
    "prepare convert aggregate": [
        ("photographs.csv", "inputs/72-64-bilinear/pillow.nc", "prepare/72-64-bilinear/pillow"),
        (
            "models/mine/torch/unconverted.pt2",
            "models/mine/torch/torch_onnx.onnx",
            "convert/mine/torch/torch_onnx.onnx",
        ),
        (f"predictions/{NATIVE}.nc", "study.nc", "aggregate"),
    ],
    "compile infer tables": [
        (
            "models/mine/torch/torch_onnx.onnx.json",
            ONNX,
            "compile/mine/torch/onnx/torch_onnx/direct/tvm/rules/O0/cpu",
        ),
        (TORCH, f"predictions/{O0}.nc", f"infer/{O0}"),
        ("study.nc", "tables/latency.csv", "tables"),
    ],
    "infer figures summary explorer": [
        ("inputs/72-64-bilinear/pillow.nc", f"predictions/{NATIVE}.nc", f"infer/{NATIVE}"),
        ("tables/pareto.csv", "figures/latency.pdf", "figures/latency"),
        ("tables/accuracy.csv", "summary.md", "summary"),
        ("tables/precision.csv", "explorer.html", "explorer"),
    ],
    "aggregate": [
        ("cells.txt", "study.nc", "aggregate"),
    ],
}


@pytest.mark.parametrize("rules", READERS)
def test_damage_is_named_at_the_next_use(space, small, rules, tmp_path):
    """Each damaged file is read by a job of its own, and none of the jobs leaves a result."""
    study = space.path / STUDY
    whole = shutil.copytree(study, tmp_path / "whole")
    for name, target, _ in READERS[rules]:
        flip(study / name)
        (study / target).unlink()
    targets = tuple(f"{STUDY}/{target}" for _, target, _ in READERS[rules])
    done = space.snakemake(small[1], "--allowed-rules", *rules.split(), targets=targets)
    made = [target for _, target, _ in READERS[rules] if (study / target).exists()]
    logs = {log: (study / f"logs/{log}.log").read_text() for _, _, log in READERS[rules]}
    shutil.rmtree(study)
    shutil.move(whole, study)
    assert done.returncode != 0
    assert not made
    for name, _, log in READERS[rules]:
        assert f"{STUDY}/{name}" in logs[log], (name, logs[log])
        assert "Delete it and run again" in logs[log]
    assert verify(space).returncode == 0
