"""How the machine disturbed a timing: its speed changed, or other processes used its processors.

Three measurements show it. The drift of a probe: a fixed piece of work takes longer after the
timing than before. Contention: other processes got processor time that the timed one asked for.
The spread of the passes: some of them took longer than the fastest.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

SIZE = 192
ROUNDS = 15
TASKS = Path("/proc/self/task")


def probe_seconds() -> float:
    """The probe: median seconds of a fixed float32 matrix product and sort."""
    values = np.linspace(-1, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        np.sort((values @ values.T).ravel())
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def drift(before: list[float], after: float) -> float:
    """Time of the probe after the timing over that before it.

    Args:
        before: seconds of the probe before each session. The one that differs most counts.
        after: seconds of the probe after the last session.
    """
    return max((after / seconds for seconds in before), key=lambda ratio: abs(ratio - 1))


def pass_spread(latencies: list[np.ndarray]) -> float:
    """Time of the median timed pass over that of the fastest pass.

    It shows a machine that is slow in some passes and not in others, which may show nowhere else.
    The passes of all parts count, because the images of a part are timed together.

    Args:
        latencies: for each part of the images, seconds (image, repeat).
    """
    passes = np.concatenate([np.median(latency, axis=0) for latency in latencies])
    return float(np.median(passes) / passes.min())


@dataclass(frozen=True)
class Usage:
    """Processor time in seconds, from some start until now.

    Attributes:
        own: used by all threads of this process.
        machine: used by all processes on all processors.
        stolen: requested by this virtual machine, but given to others by its host.
        waited: for each thread of this process, the time that it was ready to run while another
            thread used the processor; empty if the system doesn't tell.
    """

    own: float
    machine: float
    stolen: float
    waited: dict[str, float]


def usage() -> Usage:
    """The usage of this process now.

    In a container too, `machine` counts the whole machine: a competing process may be outside.
    """
    times = psutil.cpu_times()._asdict()  # which times there are depends on the system
    busy = ("user", "nice", "system", "irq", "softirq")
    machine = sum(times.get(name, 0.0) for name in busy)
    return Usage(time.process_time(), machine, times.get("steal", 0.0), _waited())


def _waited() -> dict[str, float]:
    """Seconds on a run queue by thread: the second number in its `schedstat`.

    The first number is the time on a processor, 0 if the kernel doesn't count. See
    Documentation/scheduler/sched-stats.rst in Linux. Other systems have no such file.
    """
    seconds = {}
    for task in TASKS.iterdir() if TASKS.is_dir() else ():
        try:
            ran, waited, _ = map(int, (task / "schedstat").read_text().split())
        except OSError:  # the thread has just ended, or there is no such file
            continue
        if ran:
            seconds[task.name] = waited / 1e9
    return seconds


@dataclass(frozen=True)
class Demand:
    """Processor time that a process requested during an interval, in seconds.

    Attributes:
        requested: all of it, used or lost.
        lost: the part that others got.
    """

    requested: float
    lost: float


# If the system doesn't tell how long threads wait, or if another machine does the work.
UNKNOWN = Demand(math.nan, math.nan)


def demand(before: Usage, after: Usage) -> Demand:
    """The processor time that this process requested between two moments.

    The time that its threads waited counts as lost only as far as other processes were running:
    if a process has more threads than processors, its threads wait for each other. A process that
    uses an otherwise idle processor doesn't count.
    """
    if not after.waited:
        return UNKNOWN
    own = after.own - before.own
    others = max(0.0, after.machine - before.machine - own)
    waited = sum(total - before.waited.get(task, 0.0) for task, total in after.waited.items())
    lost = min(waited, others) + max(0.0, after.stolen - before.stolen)
    return Demand(own + lost, lost)


def contention(demands: list[Demand]) -> float:
    """The share of the requested processor time that others got, over several intervals.

    Returns:
        From 0 to 1: one half if a process requested the time of two processors and got that of
        one. NaN if the system doesn't tell.
    """
    lost = sum(item.lost for item in demands)
    return lost / sum(item.requested for item in demands) if lost else 0.0
