"""What the machine did to a measurement: its speed drifted, or other processes held its processors.

A fixed piece of work, before and after, shows the first. It can't show what went on all the time:
for that, the processor time that the measured process asked for and others had.
"""

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


def contention(before: Usage, after: Usage) -> float:
    """The share of the processor time that this process asked for and others had.

    Its threads' waits count as far as others were running: threads of its own that are more than
    the processors wait for each other. A process that holds a processor which nobody here wants
    doesn't count.

    Args:
        before: usage at the start.
        after: usage at the end.

    Returns:
        From 0 to 1; half where it asked for two processors' time and had one's. NaN where the
        system doesn't tell for how long threads wait.
    """
    if not after.waited:
        return float("nan")
    own = after.own - before.own
    others = max(0.0, after.machine - before.machine - own)
    waited = sum(total - before.waited.get(task, 0.0) for task, total in after.waited.items())
    taken = min(waited, others) + max(0.0, after.stolen - before.stolen)
    return taken / (own + taken) if taken else 0.0
