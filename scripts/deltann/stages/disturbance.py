"""What the machine did to a measurement: its speed drifted, or other processes held its processors.

A fixed piece of work, before and after, shows the first. It can't show what went on all the time:
for that, the processor time that the measured process asked for and others had.
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


def seconds() -> float:
    """Median seconds of one round of a fixed float32 matrix product and sort, here and now."""
    values = np.linspace(-1, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        np.sort((values @ values.T).ravel())
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def drift(before: list[float], after: float) -> float:
    """A probe's seconds after the timing over those before it.

    Args:
        before: of each session; where there were several, that which differs most counts.
        after: of the last.
    """
    return max((after / seconds for seconds in before), key=lambda ratio: abs(ratio - 1))


@dataclass(frozen=True)
class Usage:
    """Seconds of processor time up to a moment.

    Attributes:
        own: that this process had, over all its threads.
        machine: that all processes had, over all processors.
        stolen: that this machine, a virtual one, asked for and its host gave to others.
        waited: by thread, that it was ready to run and another thread had the processor; none
            where the system doesn't tell.
    """

    own: float
    machine: float
    stolen: float
    waited: dict[str, float]


def usage() -> Usage:
    """This process's usage, now.

    In a container too, `machine` is all of the machine: who takes a processor may be outside.
    """
    times = psutil.cpu_times()
    busy = ("user", "nice", "system", "irq", "softirq")
    machine = sum(getattr(times, name, 0.0) for name in busy)
    return Usage(time.process_time(), machine, getattr(times, "steal", 0.0), _waited())


def _waited() -> dict[str, float]:
    """By thread, the second number of its `schedstat`: nanoseconds on a run queue.

    Linux's Documentation/scheduler/sched-stats.rst; the first number is that on a processor, 0
    where the kernel doesn't count. Other systems have no such file.
    """
    found = {}
    for task in TASKS.iterdir() if TASKS.is_dir() else ():
        try:
            ran, waited, _ = map(int, (task / "schedstat").read_text().split())
        except OSError:  # a thread that has just ended, or no such file
            continue
        if ran:
            found[task.name] = waited / 1e9
    return found


@dataclass(frozen=True)
class Demand:
    """Seconds of processor time that a process asked for over a while.

    Attributes:
        asked: all of them.
        taken: those that others had.
    """

    asked: float
    taken: float


# Where the system doesn't tell for how long threads wait, or another machine does the work.
UNKNOWN = Demand(math.nan, math.nan)


def demand(before: Usage, after: Usage) -> Demand:
    """What this process asked for between two moments.

    Its threads' waits count as taken as far as others were running: threads of its own that are
    more than the processors wait for each other. A process that holds a processor which nobody
    here wants doesn't count.
    """
    if not after.waited:
        return UNKNOWN
    own = after.own - before.own
    others = max(0.0, after.machine - before.machine - own)
    waited = sum(total - before.waited.get(task, 0.0) for task, total in after.waited.items())
    taken = min(waited, others) + max(0.0, after.stolen - before.stolen)
    return Demand(own + taken, taken)


def contention(demands: list[Demand]) -> float:
    """The share of the processor time asked for that others had, over several whiles.

    Returns:
        From 0 to 1; half where a process asked for two processors' time and had one's. NaN where
        the system doesn't tell.
    """
    taken = sum(item.taken for item in demands)
    return taken / sum(item.asked for item in demands) if taken else 0.0
