"""Cells that are timed while other processes hold the cores are flagged."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
import xarray as xr

from deltann.stages import disturbance

CELL = "efficientnet_lite0/torch/onnx/torch_onnx/source/pillow/none/runtime/runtime/native"
CORES = len(os.sched_getaffinity(0))


@contextmanager
def hogs():
    """Processes that keep all cores busy meanwhile: of several sessions, as users' are.

    Linux shares processors out among sessions first: those of one would be content with one core
    while a thread of another session has the other all the time, and no harm is done to it.
    """
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command, start_new_session=True) for _ in range(2 * CORES)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.skipif(
    not disturbance._waited(), reason="this system doesn't tell how long threads wait"
)
def test_cells_timed_while_others_hold_the_cores_are_flagged(workspace):
    device = {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}
    config = workspace.config(
        "hogged",
        conversions={"torch": {"onnx": [["torch_onnx"]]}},
        backends=["native"],
        devices={"cpu": device, "one-thread": device | {"threads": 1}},
    )
    paths = [f"results/hogged/predictions/{CELL}/{name}.nc" for name in ("cpu", "one-thread")]
    workspace.run(config)
    with hogs():
        workspace.run(config, "--force", targets=tuple(paths))
    hogged = [xr.load_dataset(workspace.path / path).contention for path in paths]
    # of what a thread asks for, twice as many hogs as cores leave a third; that nothing is flagged
    # on an idle machine, a busy one can't show
    assert min(hogged) > 0.2
    workspace.run(config)
    with xr.open_dataset(workspace.path / "results/hogged/study.nc") as study:
        assert study.disturbed.values.tolist() == [1, 1]
        assert study.contention.values.tolist() == hogged
    assert "2 cells of 2 disturbed" in (workspace.path / "results/hogged/summary.md").read_text()
