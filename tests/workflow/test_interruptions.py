"""`kill -9` in the middle of a stage, then the same command again."""

import subprocess
import time

import pytest
import xarray as xr

from deltann.dataset import predictions
from helpers.workspace import SMALL, equal, kill_family, start, wait_for


@pytest.mark.parametrize(
    ("stage", "delay"),
    [
        ("scripts/export.py", 1.0),
        ("deltann.stages.convert", 0.5),
        ("deltann.stages.compile", 1.0),
        ("deltann.stages.infer_child", 1.0),
        ("scripts/aggregate.py", 0.1),
        ("scripts/figures.py", 0.3),
    ],
)
def test_kill_and_go_on(workspace, undisturbed, stage, delay):
    name = "killed-" + stage.split("/")[-1].replace(".py", "").replace("deltann.", "")
    config = workspace.config(name, **SMALL)
    process = start(workspace, config)
    wait_for(process, stage)
    time.sleep(delay)
    kill_family(process)
    results = workspace.path / "results" / name
    whole = {path: path.stat().st_mtime_ns for path in (results / "predictions").rglob("*.nc")}
    for path in whole:
        predictions.read(path)  # raises on a half-written file
    if stage in ("scripts/aggregate.py", "scripts/figures.py"):
        assert len(whole) == undisturbed.sizes["cell"]
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
    config = workspace.config("orphaned", **SMALL)
    process = start(workspace, config)
    wait_for(process, "deltann.stages.compile")
    process.kill()
    process.wait()
    workspace.run(config)
    equal(undisturbed, xr.load_dataset(workspace.path / "results/orphaned/study.nc"))
