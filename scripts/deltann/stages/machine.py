"""The machine and the commit that a measurement comes from."""

import os
import platform
import subprocess
from pathlib import Path

from deltann.tvm.target_kinds import CUDA


def describe(threads: int, device: dict | None = None) -> dict:
    """Processor, operating system, threads and cores of the machine that runs a cell.

    Args:
        threads: the number of threads of the runtime.
        device: what `device.placement` returns. For a GPU its name is added. Of a machine behind an
            RPC server only the address is known here.
    """
    if device and "rpc" in device:
        address = f"{device['rpc']['host']}:{device['rpc']['port']}"
        return {"processor": "unknown", "system": f"TVM RPC server {address}", "threads": threads}
    described = {
        "processor": _processor(),
        "system": platform.platform(),
        "threads": threads,
        "cores": len(os.sched_getaffinity(0)),
    }
    return described | ({"gpu": _gpu()} if device and device["kind"] == CUDA else {})


def _processor() -> str:
    """The processor's model name, or its architecture if the system doesn't tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _gpu() -> str:
    """The name of the first GPU and its driver's version, or `none found`."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"]
    return _output(command) or "none found"


def commit() -> str:
    """The git commit of the working directory, or `unknown`."""
    return _output(["git", "rev-parse", "HEAD"]) or "unknown"


def _output(command: list[str]) -> str | None:
    """What a command prints, or None if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
