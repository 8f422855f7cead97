"""A worker of `deltann.operators.loop` whose tasks crash, hang or raise on request."""

import os
import signal
import sys
import time

from deltann.operators import tasks, worker


def odd(how: str) -> None:
    """A task."""
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hang":
        time.sleep(60)
    if how == "raise":
        raise KeyError("bias")


if __name__ == "__main__":
    tasks.get = lambda name: odd
    worker.main(sys.argv[1], {}, int(sys.argv[3]))
