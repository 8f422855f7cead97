"""A process and its parent: to end together, or to see that the parent is gone."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Loaded here, as a new child should not load anything before it starts its program.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def end_with(parent: int) -> None:
    """Have the kernel kill this new process when its parent ends (Linux only).

    Called between fork and exec: a parent that was killed before this call is noticed, too.
    """
    if _prctl:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def ancestors() -> Iterator[int]:
    """The process ids of this process's ancestors; without /proc only the parent's."""
    number = os.getppid()
    while number > 0:
        yield number
        try:
            stat = Path(f"/proc/{number}/stat").read_text()
        except OSError:
            return
        number = int(stat.rpartition(")")[2].split()[1])
