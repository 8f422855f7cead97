"""A fixed piece of work whose time, before and after a measurement, shows a drifting machine."""

import time

import numpy as np

SIZE = 192
ROUNDS = 15


def seconds() -> float:
    """Median seconds of one round of a fixed float32 matrix product and sort, here and now."""
    values = np.linspace(-1, 1, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        np.sort((values @ values.T).ravel())
        times.append(time.perf_counter() - start)
    return float(np.median(times))
