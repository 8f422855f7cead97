"""The child of an inference: what it measures with a runner, what it saves, and what it refuses."""

from pathlib import Path
from types import SimpleNamespace

import h5netcdf
import numpy as np
import pytest

from deltann import runners
from deltann.images import prepared
from deltann.images.preprocessing import Preprocessing
from deltann.stages import infer_child
from deltann.stages.checkpoint import Checkpoint

IMAGES, SIZE, CLASSES, REPEATS = 5, 4, 3, 2
PREPROCESSING = {
    "resize": None,
    "crop": (SIZE, SIZE),
    "interpolation": "nearest",
    "channels": "RGB",
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "classes": CLASSES,
    "background": 1,
}


class Made(runners.LocalRunner):
    """A runner whose logits are the image's mean times 0, 1, 2, and so on."""

    outputs = CLASSES + 1
    seconds = 0.5

    def __init__(self, model_file: Path, threads: int):
        self.input_shape = (1, SIZE, SIZE, 3)
        self.calls = 0

    def __enter__(self) -> "Made":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.calls += 1
        return batch.mean() * np.arange(self.outputs, dtype=np.float32)[np.newaxis]

    def timed(self, batch: np.ndarray) -> tuple[np.ndarray, float]:
        return self.run(batch), self.seconds


class Remote(Made):
    """The same on another machine."""

    machine = {"processor": "far away", "system": "made up", "threads": 1}


@pytest.fixture
def images(tmp_path):
    """A file of prepared images: image k is all of the value 10 k."""
    path = tmp_path / "images.nc"
    with h5netcdf.File(path, "w") as file:
        writer = prepared.Writer(file, (SIZE, SIZE))
        for number in range(IMAGES):
            writer.add(f"{number}.png", -1, np.full((SIZE, SIZE, 3), 10 * number, np.uint8))
        writer.finish([])
    return path


@pytest.fixture
def run(images, tmp_path, monkeypatch):
    """Runs the child with a runner of this file."""
    monkeypatch.setattr(infer_child, "WARM_UP_SECONDS", 0.0)
    monkeypatch.setattr(infer_child, "REST_SECONDS", 0.0)
    monkeypatch.setattr(prepared, "PART_IMAGES", 3)

    def work(runner: type[Made], **changes) -> dict:
        module = SimpleNamespace(Runner=runner, versions=lambda: {"made": "1"})
        monkeypatch.setattr(runners, "get", lambda name: module)
        arguments = {
            "runner": "made",
            "settings": {},
            "model_file": "none",
            "preprocessing": PREPROCESSING,
            "images": str(images),
            "device": {"kind": "llvm", "threads": 1},
            "repeats": REPEATS,
            "checkpoint": {"folder": str(tmp_path / "cell"), "key": "k"},
            "session": "first",
            "probe_seconds": 0.01,
        }
        return infer_child.work(**arguments | changes)

    return work


def saved(tmp_path) -> Checkpoint:
    return Checkpoint(tmp_path / "cell", "k")


def test_logits_and_latencies_of_every_part_are_saved(run, tmp_path):
    expected = {"versions": {"made": "1"}, "operators": None, "kernel_times": None}
    assert run(Made) == expected
    parts = [saved(tmp_path).load(part) for part in (slice(0, 2), slice(2, 5))]
    logits = np.concatenate([part.logits for part in parts])
    means = np.arange(IMAGES, dtype=np.float32) * 10 / 255
    np.testing.assert_allclose(logits, means[:, np.newaxis] * np.float32([1, 2, 3]), rtol=1e-6)
    assert all((part.latency == Made.seconds).all() for part in parts)
    assert [part.latency.shape for part in parts] == [(2, REPEATS), (3, REPEATS)]
    assert {part.circumstances.session for part in parts} == {"first"}
    assert {part.circumstances.probe for part in parts} == {0.01}


def test_a_finished_part_is_not_run_again(run, tmp_path, capsys):
    run(Made)
    before = saved(tmp_path).load(slice(0, 2))
    (tmp_path / "cell" / "2-5.npz").unlink()
    run(Made, session="second")
    assert "images 0 to 2: done by an interrupted job" in capsys.readouterr().out
    assert saved(tmp_path).load(slice(0, 2)).circumstances == before.circumstances
    assert saved(tmp_path).load(slice(2, 5)).circumstances.session == "second"


def test_a_remote_runner_probes_its_own_machine(run, tmp_path):
    result = run(Remote)
    assert result["machine"] == Remote.machine and result["probe"] == Made.seconds
    circumstances = saved(tmp_path).load(slice(0, 2)).circumstances
    assert circumstances.probe == Made.seconds
    assert np.isnan(circumstances.demand.requested)


def test_kernels_are_timed_after_all_passes(run):
    """With the model's own input; what slows the model comes last."""

    class Timed(Made):
        def kernel_times(self, batch: np.ndarray) -> dict:
            return {"shape": batch.shape, "runs": self.calls}

    plain = 1 + infer_child.WARM_UP_RUNS + IMAGES * REPEATS
    assert run(Timed)["kernel_times"] == {"shape": (1, SIZE, SIZE, 3), "runs": plain - 1}


def test_on_an_emulated_device_each_image_runs_once_and_no_time_is_taken(run, tmp_path):
    counted = []

    class Emulated(Remote):
        def run(self, batch: np.ndarray) -> np.ndarray:
            counted.append(batch)
            return super().run(batch)

    result = run(Emulated, device={"kind": "llvm", "threads": 1, "emulated": True})
    assert np.isnan(result["probe"])
    parts = [saved(tmp_path).load(part) for part in (slice(0, 2), slice(2, 5))]
    assert all(np.isnan(part.latency).all() and part.latency.shape[1] == 1 for part in parts)
    assert len(counted) == IMAGES + 1  # and once to check the output's shape


def test_logits_that_are_not_finite_are_refused(run):
    class Broken(Made):
        def run(self, batch: np.ndarray) -> np.ndarray:
            return super().run(batch) + np.float32(np.nan)

    with pytest.raises(ValueError, match="logits are not finite"):
        run(Broken)


def test_another_number_of_classes_is_refused(run):
    class Narrow(Made):
        outputs = CLASSES

    with pytest.raises(ValueError, match=r"output shape \(1, 3\); expected \(1, 4\): 3 classes"):
        run(Narrow)


def test_the_shape_of_the_output_has_the_background():
    declared = Preprocessing(**PREPROCESSING)
    declared.check_output((1, CLASSES + 1))
    with pytest.raises(ValueError, match="output shape"):
        declared.check_output((2, CLASSES + 1))
