"""Run one cell's model on every prepared image: logits once, latencies over repeats.

Large sets go part by part, and an interrupted cell goes on after its last finished part.
"""

import math
import os
import platform
import subprocess
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np

from deltann import runners
from deltann.images import prepared
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.stages import disturbance
from deltann.stages.checkpoint import Circumstances, Part, Progress
from deltann.tvm.target_kinds import CUDA

# Before the timed runs: a runtime traces, allocates and packs in the first ones, and a processor
# that slept takes a while to reach its speed. At least so many runs, and so long.
WARM_UP_RUNS, WARM_UP_SECONDS = 2, 0.5
# ... taken from so many images.
WARM_UP_IMAGES = 32
# Between two timed passes: where a host lets two processors of its virtual machine share a core, it
# goes on so, at half the speed and unseen by all counters, until they rest and it places them anew.
REST_SECONDS = 0.05
# How often a long cell's log says how far it is.
REPORT_SECONDS = 10.0
# Runs by which another machine's speed is probed.
PROBES = 5


def work(
    runner: str,
    settings: dict,
    model_file: str,
    preprocessing: dict,
    images: str,
    device: dict,
    repeats: int,
    progress: dict,
    session: str,
    probe_seconds: float,
) -> dict:
    """The child's side: load the model, predict and time every image, and keep each finished part.

    Every image is a batch of 1; the first timed pass gives the predictions. What an interrupted
    session had finished isn't done again.

    Args:
        runner: name of a module in `deltann.runners`.
        settings: by which the runtime differs from its defaults.
        model_file: the file to read.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        images: the prepared images, NetCDF.
        device: what `device.placement` says of it.
        repeats: timed passes over the images, all of them over one part and then over the next.
        progress: the arguments of `deltann.stages.checkpoint.Progress`, where finished parts are
            kept.
        session: a name for this process.
        probe_seconds: of the probe on this machine, before.

    Returns:
        `versions` of the runtime. For a remote runner also `machine`, and `probe`: the seconds of
        the first image on that machine after the timing.

    Raises:
        ValueError: the model's input or output shape isn't what the study declares, or its
            logits aren't finite.
    """
    how = Preprocessing(**preprocessing)
    kept = Progress(Path(progress["folder"]), progress["key"])
    module = runners.get(runner)
    with (
        prepared.open_file(Path(images)) as stack,
        module.Runner(Path(model_file), device["threads"], **settings, **_where(device)) as loaded,
    ):
        order = layout(loaded.input_shape, how.crop)
        ready = partial(normalise, preprocessing=how, order=order)
        first = stack.pixels(slice(WARM_UP_IMAGES))
        warm_up(lambda image: check_shape(loaded.infer(ready(image)), how), first)
        remote = loaded.machine is not None
        if remote:
            probe_seconds = _steadiness(loaded, ready(first[0]))
        report = Report(len(stack))
        for part in prepared.parts(len(stack)):
            if kept.has(part):
                print(f"images {part.start} to {part.stop}: done by an interrupted job", flush=True)
                continue
            steps = partial(report, part)
            *arrays, demand = _passes(loaded, stack.pixels(part), ready, how, repeats, steps)
            kept.add(part, Part(*arrays, Circumstances(session, probe_seconds, demand)))
        result = {"versions": module.versions()}
        if remote:
            after = _steadiness(loaded, ready(first[0]))
            result |= {"machine": loaded.machine, "probe": after}
    return result


class Report:
    """Says in the job's log how many of the images are done, now and then."""

    def __init__(self, images: int):
        self._images, self._said = images, -math.inf

    def __call__(self, part: slice, share: float) -> None:
        """Say it if it is time, when this share of a part's work is done."""
        if time.monotonic() - self._said >= REPORT_SECONDS:
            self._said = time.monotonic()
            done = part.start + int(share * (part.stop - part.start))
            print(f"{done} of {self._images} images", flush=True)


def _passes(
    loaded: runners.Runner,
    pixels: np.ndarray,
    ready: Callable[[np.ndarray], np.ndarray],
    how: Preprocessing,
    repeats: int,
    report: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray, disturbance.Demand]:
    """Timed passes over some images: logits, latencies, and the processor time asked for.

    Raises:
        ValueError: logits aren't finite.
    """
    logits = np.empty((len(pixels), how.classes), np.float32)
    latency = np.empty((len(pixels), repeats))
    before = disturbance.usage()
    for repeat in range(repeats):
        time.sleep(REST_SECONDS)
        for index, image in enumerate(pixels):
            report((repeat + index / len(pixels)) / repeats)
            answer, latency[index, repeat] = loaded.timed(ready(image))
            if repeat == 0:
                logits[index] = np.asarray(answer)[0, how.background :]
    after = disturbance.usage()
    if not np.isfinite(logits).all():
        raise ValueError("the model's logits are not finite")
    remote = loaded.machine is not None
    return logits, latency, disturbance.UNKNOWN if remote else disturbance.demand(before, after)


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


def _steadiness(loaded: runners.Runner, batch: np.ndarray) -> float:
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
        device: what `device.placement` returned. A GPU's name is added. Of another machine only the
            address is known before a runner has connected.
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
