"""The child process of an inference: run the model on every prepared image and time it.

Images are processed in parts. Each part is saved when it is finished, so that an interrupted cell
resumes after the last finished part.
"""

import math
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
from deltann.stages.checkpoint import Checkpoint, Circumstances, PartResult
from deltann.tvm.target_kinds import CUDA

# Before the timed runs: a runtime traces, allocates and packs weights in its first runs, and an
# idle processor needs time to reach its full speed. At least this many runs and this long.
WARM_UP_RUNS, WARM_UP_SECONDS = 2, 0.5
# The number of images that the warm-up cycles through.
WARM_UP_IMAGES = 32
# Pause between two timed passes. A host may let two virtual processors share a core: both then run
# at half speed, which no counter shows, until they pause and are placed on cores again.
REST_SECONDS = 0.05
# Time between two lines of progress in the job's log.
REPORT_SECONDS = 10.0
# Number of runs that probe the speed of another machine.
REMOTE_PROBES = 5


def work(
    runner: str,
    settings: dict,
    model_file: str,
    preprocessing: dict,
    images: str,
    device: dict,
    repeats: int,
    checkpoint: dict,
    session: str,
    probe_seconds: float,
) -> dict:
    """Load the model, predict and time every image, and save each finished part.

    Every image is a batch of 1. The first pass gives the predictions.

    Args:
        runner: name of a module in `deltann.runners`.
        settings: the runtime's settings, where they differ from its defaults.
        model_file: the file to load.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        images: the prepared images, NetCDF.
        device: what `device.placement` returns.
        repeats: timed passes over each part of the images; on an emulated device one, untimed.
        checkpoint: the arguments of `Checkpoint`.
        session: a name for this process.
        probe_seconds: result of the probe on this machine, before the timing.

    Returns:
        The runtime's `versions`, the model's `operators` and `kernel_times`, see `Runner`; of a
        remote one also `machine`, and `probe` after the timing.

    Raises:
        ValueError: input or output have another shape than declared, or logits aren't finite.
    """
    module = runners.get(runner)
    saved = Checkpoint(Path(checkpoint["folder"]), checkpoint["key"])
    model_runner = module.Runner(Path(model_file), device["threads"], **settings, **_where(device))
    with prepared.open_file(Path(images)) as stack, model_runner as loaded:
        model = Model(loaded, Preprocessing(**preprocessing), not device.get("emulated", False))
        first = stack.pixels(slice(WARM_UP_IMAGES))
        model.warm_up(first)
        if model.remote:
            probe_seconds = model.probe_seconds(first[0])
        _finish_parts(model, stack, repeats, saved, session, probe_seconds)
        result: dict = {"versions": module.versions(), "operators": loaded.operators}
        if model.remote:
            result |= {"machine": loaded.machine, "probe": model.probe_seconds(first[0])}
        result["kernel_times"] = model.kernel_times(first[0])  # the model is slower from here on
    return result


def _where(device: dict) -> dict:
    """The arguments of a runner that a device other than this machine's processor needs."""
    options = {"gpu": True} if device["kind"] == CUDA else {}
    return options | ({"rpc": device["rpc"]} if "rpc" in device else {})


class Model:
    """A loaded model, called with prepared images.

    Attributes:
        preprocessing: the declared input and output.
        has_clock: whether times there mean something: not on an emulated device.
        remote: whether the model runs on another machine.
    """

    def __init__(
        self, runner: runners.Runner, preprocessing: Preprocessing, has_clock: bool = True
    ):
        self._runner, self.preprocessing, self.has_clock = runner, preprocessing, has_clock
        self.remote = runner.machine is not None
        order = layout(runner.input_shape, preprocessing)
        self._input = partial(normalise, preprocessing=preprocessing, order=order)

    def check(self, image: np.ndarray) -> None:
        """Run the model on one image and check the shape of its output.

        Raises:
            ValueError: it isn't (1, background and classes).
        """
        self.preprocessing.check_output(np.shape(self._runner.infer(self._input(image))))

    def warm_up(self, images: np.ndarray) -> None:
        """Run before the timed runs, and check the output; once if no time is taken."""
        if self.has_clock:
            warm_up(self.check, images)
        else:
            self.check(images[0])

    def timed(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """The output (1, background and classes), and seconds by its machine's clock, or NaN."""
        given = self._input(image)
        return (
            self._runner.timed(given) if self.has_clock else (self._runner.infer(given), math.nan)
        )

    def kernel_times(self, image: np.ndarray) -> dict | None:
        """What each kernel takes on an image: see `Runner`. To be called last."""
        return self._runner.kernel_times(self._input(image))

    def probe_seconds(self, image: np.ndarray) -> float:
        """Median seconds of a fixed piece of work on another machine: the model on one image.

        NaN where times mean nothing.
        """
        if not self.has_clock:
            return math.nan
        return float(np.median([self.timed(image)[1] for _ in range(REMOTE_PROBES)]))


def _finish_parts(
    model: Model,
    stack: prepared.Prepared,
    repeats: int,
    saved: Checkpoint,
    session: str,
    probe_seconds: float,
) -> None:
    """Predict, time and save every part that isn't saved yet."""
    report = Report(len(stack))
    for part in prepared.parts(len(stack)):
        if saved.has(part):
            print(f"images {part.start} to {part.stop}: done by an interrupted job", flush=True)
            continue
        logits, latency, demand = _passes(model, stack.pixels(part), repeats, partial(report, part))
        saved.save(part, PartResult(logits, latency, Circumstances(session, probe_seconds, demand)))


class Report:
    """Prints progress to the job's log, at most every `REPORT_SECONDS`."""

    def __init__(self, images: int):
        self._images, self._last = images, -math.inf

    def __call__(self, part: slice, share: float) -> None:
        """Print progress if it is time; `share` of the work on the part is done."""
        if time.monotonic() - self._last >= REPORT_SECONDS:
            self._last = time.monotonic()
            done = part.start + int(share * (part.stop - part.start))
            print(f"{done} of {self._images} images", flush=True)


def _passes(
    model: Model, pixels: np.ndarray, repeats: int, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, disturbance.Demand]:
    """Timed passes over some images.

    Args:
        model: the loaded model.
        pixels: uint8 (image, height, width, 3).
        repeats: the number of passes.
        report: called with the share of the work that is done.

    Returns:
        Logits of the first pass, float32 (image, class); latencies in seconds, float64 (image,
        repeat), NaN where times mean nothing; and the processor time that this process asked for.

    Raises:
        ValueError: logits aren't finite.
    """
    repeats = repeats if model.has_clock else 1
    logits = np.empty((len(pixels), model.preprocessing.classes), np.float32)
    latency = np.empty((len(pixels), repeats))
    before = disturbance.usage()
    for repeat in range(repeats):
        time.sleep(REST_SECONDS)
        for index, image in enumerate(pixels):
            report((repeat + index / len(pixels)) / repeats)
            output, latency[index, repeat] = model.timed(image)
            if repeat == 0:
                logits[index] = np.asarray(output)[0, model.preprocessing.background :]
    after = disturbance.usage()
    if not np.isfinite(logits).all():
        raise ValueError("the model's logits are not finite")
    demand = disturbance.UNKNOWN if model.remote else disturbance.demand(before, after)
    return logits, latency, demand


def warm_up(run: Callable[[np.ndarray], None], images: np.ndarray) -> None:
    """Run images in turn, at least `WARM_UP_RUNS` times and for `WARM_UP_SECONDS`."""
    start = time.perf_counter()
    for number, image in enumerate(cycle(images)):
        if number >= WARM_UP_RUNS and time.perf_counter() - start >= WARM_UP_SECONDS:
            break
        run(image)
