"""`kill -9` in the middle of a stage, then the same command again; and a second run beside one."""

import subprocess
import time

import psutil
import pytest
import xarray as xr
from conftest import kill_family

from deltann import predictions

CHANGES = {
    "conversions": {"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}},
    "backends": ["native", "O2"],
    "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True, "threads": 2}},
    "timing": {"repeats": 2, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
}


def start(space, config) -> subprocess.Popen:
    return subprocess.Popen(
        space.command(config),
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(process: subprocess.Popen, words: str, seconds: float = 300) -> None:
    """Wait until a descendant's command line contains these words."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the run ended before {words!r} was seen"
        for member in psutil.Process(process.pid).children(recursive=True):
            try:
                if words in " ".join(member.cmdline()):
                    return
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        time.sleep(0.02)
    raise AssertionError(f"{words!r} was not seen within {seconds} s")


@pytest.fixture(scope="module")
def undisturbed(workspace):
    """The small study, run without a disturbance: its dataset."""
    config = workspace.config("undisturbed", **CHANGES)
    workspace.run(config)
    return xr.load_dataset(workspace.path / "results/undisturbed/study.nc")


def equal(one: xr.Dataset, other: xr.Dataset) -> None:
    """The same cells with bit-identical predictions."""
    for variable in ("logits", "label", "probability", "true_label"):
        assert one[variable].values.tobytes() == other[variable].values.tobytes(), variable
    for name in ("model", "source", "target", "backend", "device", "status"):
        assert list(one[name].values) == list(other[name].values)


@pytest.mark.parametrize(
    ("stage", "delay"),
    [
        ("scripts/export.py", 1.0),
        ("deltann.convert", 0.5),
        ("deltann.compile", 1.0),
        ("deltann.infer", 1.0),
        ("scripts/aggregate.py", 0.1),
        ("scripts/figures.py", 0.3),
    ],
)
def test_kill_and_go_on(workspace, undisturbed, stage, delay):
    name = "killed-" + stage.split("/")[-1].replace(".py", "").replace("deltann.", "")
    config = workspace.config(name, **CHANGES)
    process = start(workspace, config)
    wait_for(process, stage)
    time.sleep(delay)
    kill_family(process)
    results = workspace.path / "results" / name
    whole = {path: path.stat().st_mtime_ns for path in (results / "predictions").rglob("*.nc")}
    for path in whole:
        predictions.read(path)  # raises on a half-written file
    output = workspace.run(config)
    equal(undisturbed, xr.load_dataset(results / "study.nc"))
    kept = [path for path, time_ in whole.items() if path.stat().st_mtime_ns == time_]
    assert len(kept) >= len(whole) - 1, output  # only what was in flight is computed again
    assert not [path for path in results.rglob(".*") if path.is_dir() and list(path.iterdir())]


def test_kill_while_an_environment_is_built(workspace, tmp_path):
    space = workspace.copy(tmp_path / "space")
    (space.path / ".envs").unlink()
    (space.path / ".envs").mkdir()
    for path in (space.path / "results/environments").glob("images.json"):
        path.unlink()
    config = space.config("environment")
    target = "results/environments/images.json"
    process = subprocess.Popen(space.command(config, targets=(target,)), cwd=space.path)
    wait_for(process, "uv")
    kill_family(process)
    assert not (space.path / target).exists()
    space.run(config, targets=(target,))
    assert (space.path / target).exists()


def test_only_snakemake_killed_its_jobs_still_running(workspace, undisturbed):
    config = workspace.config("orphaned", **CHANGES)
    process = start(workspace, config)
    wait_for(process, "deltann.compile")
    process.kill()
    process.wait()
    workspace.run(config)
    equal(undisturbed, xr.load_dataset(workspace.path / "results/orphaned/study.nc"))


def test_a_second_run_is_refused(workspace, undisturbed):
    config = workspace.config("first", **CHANGES)
    process = start(workspace, config)
    wait_for(process, "scripts/")
    second = workspace.snakemake(workspace.config("second", **CHANGES))
    assert second.returncode != 0
    assert "another run is under way in" in second.stdout
    assert "Traceback" not in second.stdout
    assert not (workspace.path / "results/second/study.nc").exists()
    assert workspace.snakemake(config, "--dry-run").returncode == 0
    assert process.wait() == 0
    equal(undisturbed, xr.load_dataset(workspace.path / "results/first/study.nc"))
