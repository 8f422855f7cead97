"""Localisation in a model with a hundred layers stays within the memory of a laptop."""

import json
import os
import subprocess
import time
from pathlib import Path

import psutil

from deltann.localise import remote
from helpers.workspace import ROOT

MEMORY = 2 * 2**30


def run(environments: Path, environment: str, script: str, *arguments: str) -> subprocess.Popen:
    """Start a helper in an environment."""
    variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [environments / environment / "bin/python", ROOT / "tests/helpers" / script, *arguments],
        env=variables | {remote.ENVIRONMENTS: str(environments)},
        stdout=subprocess.PIPE,
        text=True,
    )


def resident(process: psutil.Process) -> int:
    """Bytes of memory of a process and its descendants."""
    total = 0
    for item in [process, *process.children(recursive=True)]:
        try:
            total += item.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    return total


def test_a_fault_in_the_middle_of_resnet101_is_located_within_two_gigabytes(environments, tmp_path):
    assert run(environments, "torch", "deep_models.py", str(tmp_path)).wait() == 0
    files = ("torch", str(tmp_path / "resnet101.pt2"), "onnx", str(tmp_path / "resnet101.onnx"))
    process, peak = run(environments, "analysis", "localise_files.py", *files), 0
    while process.poll() is None:
        peak = max(peak, resident(psutil.Process(process.pid)))
        time.sleep(0.05)
    assert process.stdout is not None
    found = json.loads(process.stdout.read())
    assert found["outcome"] == "found"
    (fault,) = found["faults"]
    assert fault["verdict"] == "located"
    assert fault["ranked"][0] == "/layer3/layer3.8/conv2/Conv"
    assert 2**28 < peak < MEMORY
