"""Run one cell's model on every prepared image: logits once, latencies over repeats."""

import math
import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib import import_module
from itertools import cycle
from pathlib import Path

import numpy as np

from deltann import probe
from deltann.device import CUDA
from deltann.models import Preprocessing
from deltann.preprocess import layout, normalise

# Before the timed runs: a runtime traces, allocates and packs in the first ones, and a processor
# that slept takes a while to reach its speed. At least so many runs, and so long.
WARM_UP_RUNS, WARM_UP_SECONDS = 2, 0.5
# Between two timed passes: where a host lets two processors of its virtual machine share a core, it
# goes on so, at half the speed and unseen by all counters, until they rest and it places them anew.
REST_SECONDS = 0.05
# Runs by which another machine's speed is probed.
PROBES = 5


def work(
    runner: str,
    settings: dict,
    source: str,
    preprocessing: dict,
    pixels: str,
    device: dict,
    repeats: int,
    output: str,
) -> dict:
    """The child's side: load the model, predict and time every image, and save the arrays.

    Every image is a batch of 1; the first timed pass gives the predictions.

    Args:
        runner: name of a module in `deltann.runners`.
        settings: by which the runtime differs from its defaults.
        source: the model file.
        preprocessing: the fields of `deltann.models.Preprocessing`.
        pixels: .npy file, uint8 (image, y, x, channel).
        device: what `device.place` says of it.
        repeats: timed passes over the images.
        output: .npz file to write: `logits` (image, class) float32 and `latency`
            (image, repeat) float64 in seconds.

    Returns:
        `versions`, those of the runtime, and `contention` during the timed passes, as
        `probe.contention` has it. If the runner has a clock of its own, `contention` is NaN, and
        there are also `machine`, where it ran, and `probe_drift`: the first image's time there
        after the timing over that before, since a probe on this machine says nothing of another.

    Raises:
        ValueError: the model's input or output shape isn't what the study declares, or its
            logits aren't finite.
    """
    how = Preprocessing(**preprocessing)
    images = np.load(pixels, mmap_mode="r", allow_pickle=False)
    module = import_module(f"deltann.runners.{runner}")
    logits = np.empty((len(images), how.classes), np.float32)
    latency = np.empty((len(images), repeats))
    with module.Runner(Path(source), device["threads"], **settings, **_where(device)) as loaded:
        order = layout(loaded.input_shape, how.crop)
        warm_up(lambda image: check_shape(loaded.infer(normalise(image, how, order)), how), images)
        remote = hasattr(loaded, "timed")
        before = _steadiness(loaded, normalise(images[0], how, order)) if remote else probe.usage()
        for repeat in range(repeats):
            print(f"timing pass {repeat + 1} of {repeats}", flush=True)
            time.sleep(REST_SECONDS)
            for index, image in enumerate(images):
                answer, latency[index, repeat] = _timed(loaded, normalise(image, how, order))
                if repeat == 0:
                    logits[index] = np.asarray(answer)[0, how.background :]
        result = {"versions": module.versions()}
        if remote:
            drift = _steadiness(loaded, normalise(images[0], how, order)) / before
            result |= {"machine": loaded.machine, "probe_drift": drift, "contention": math.nan}
        else:
            result |= {"contention": probe.contention(before, probe.usage())}
    if not np.isfinite(logits).all():
        raise ValueError("the model's logits are not finite")
    with open(output, "wb") as stream:
        np.savez(stream, logits=logits, latency=latency)
    return result


def warm_up(run: Callable[[np.ndarray], None], images: np.ndarray) -> None:
    """Run images, one after the other and over again, until the timed runs may begin."""
    start = time.perf_counter()
    for number, image in enumerate(cycle(images)):
        if number >= WARM_UP_RUNS and time.perf_counter() - start >= WARM_UP_SECONDS:
            break
        run(image)


def _where(device: dict) -> dict:
    """What a runner takes where a cell doesn't run on this machine's processor."""
    found = {"gpu": True} if device["kind"] == CUDA else {}
    return found | ({"rpc": device["rpc"]} if "rpc" in device else {})


def _timed(loaded, batch: np.ndarray) -> tuple[np.ndarray, float]:
    """A model's answer, and its seconds by the clock of the machine that it runs on."""
    if hasattr(loaded, "timed"):
        return loaded.timed(batch)
    start = time.perf_counter()
    answer = loaded.infer(batch)
    return answer, time.perf_counter() - start


def _steadiness(loaded, batch: np.ndarray) -> float:
    """Median seconds of a fixed piece of work on another machine: the model on one image."""
    return float(np.median([loaded.timed(batch)[1] for _ in range(PROBES)]))


def check_shape(answer: "np.ndarray", how: Preprocessing) -> None:
    """See that a model answers with the classes that the study declares.

    Raises:
        ValueError: it has another shape than (1, background and classes).
    """
    outputs = how.background + how.classes
    if np.shape(answer) != (1, outputs):
        raise ValueError(
            f"output shape {np.shape(answer)}; expected (1, {outputs}): {how.classes} classes and "
            f"{how.background} of background"
        )


def machine(threads: int, device: dict | None = None) -> dict:
    """What a reader must know of the machine: processor, operating system, threads used.

    Args:
        threads: of the runtime.
        device: what `device.place` says of it; of a GPU its name is added, and of another machine
            only its address is known before a runner has been there.
    """
    if device and "rpc" in device:
        address = f"{device['rpc']['host']}:{device['rpc']['port']}"
        return {"processor": "unknown", "system": f"TVM RPC server {address}", "threads": threads}
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    found = {
        "processor": model,
        "system": platform.platform(),
        "threads": threads,
        "cores": len(os.sched_getaffinity(0)),
    }
    return found | ({"gpu": _gpu()} if device and device["kind"] == CUDA else {})


def _gpu() -> str:
    """The name of the first GPU and its driver's version, or `none found`."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none found"


def commit() -> str:
    """The git commit of the working directory, or `unknown`."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
