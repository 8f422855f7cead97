"""Run one cell's model on every prepared image: logits once, latencies over repeats."""

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
from deltann.models import Preprocessing
from deltann.preprocess import layout, normalise

# Before the timed runs: a runtime traces, allocates and packs in the first ones, and a processor
# that slept takes a while to reach its speed. At least so many runs, and so long.
WARM_UP_RUNS, WARM_UP_SECONDS = 2, 0.5


def work(
    runner: str,
    settings: dict,
    source: str,
    preprocessing: dict,
    pixels: str,
    threads: int,
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
        threads: of the runtime.
        repeats: timed passes over the images.
        output: .npz file to write: `logits` (image, class) float32 and `latency`
            (image, repeat) float64 in seconds.

    Returns:
        `versions`, those of the runtime, and `contention` during the timed passes, as
        `probe.contention` has it.

    Raises:
        ValueError: the model's input or output shape isn't what the study declares, or its
            logits aren't finite.
    """
    how = Preprocessing(**preprocessing)
    images = np.load(pixels, mmap_mode="r", allow_pickle=False)
    module = import_module(f"deltann.runners.{runner}")
    logits = np.empty((len(images), how.classes), np.float32)
    latency = np.empty((len(images), repeats))
    with module.Runner(Path(source), threads, **settings) as loaded:
        order = layout(loaded.input_shape, how.crop)
        warm_up(lambda image: check_shape(loaded.infer(normalise(image, how, order)), how), images)
        before = probe.usage()
        for repeat in range(repeats):
            print(f"timing pass {repeat + 1} of {repeats}", flush=True)
            for index, image in enumerate(images):
                batch = normalise(image, how, order)
                start = time.perf_counter()
                answer = loaded.infer(batch)
                latency[index, repeat] = time.perf_counter() - start
                if repeat == 0:
                    logits[index] = np.asarray(answer)[0, how.background :]
        contention = probe.contention(before, probe.usage())
    if not np.isfinite(logits).all():
        raise ValueError("the model's logits are not finite")
    with open(output, "wb") as stream:
        np.savez(stream, logits=logits, latency=latency)
    return {"versions": module.versions(), "contention": contention}


def warm_up(run: Callable[[np.ndarray], None], images: np.ndarray) -> None:
    """Run images, one after the other and over again, until the timed runs may begin."""
    start = time.perf_counter()
    for number, image in enumerate(cycle(images)):
        if number >= WARM_UP_RUNS and time.perf_counter() - start >= WARM_UP_SECONDS:
            break
        run(image)


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


def machine(threads: int) -> dict:
    """What a reader must know of the machine: processor, operating system, threads used."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    return {
        "processor": model,
        "system": platform.platform(),
        "threads": threads,
        "cores": len(os.sched_getaffinity(0)),
    }


def commit() -> str:
    """The git commit of the working directory, or `unknown`."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
