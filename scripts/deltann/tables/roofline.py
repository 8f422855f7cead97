"""The kernels of a compiled cell against the machine's roofline."""

import pandas as pd

from deltann import metrics

# A kernel below this share of what the roofline allows is slow.
HALF = 50.0
ARITHMETIC, MEMORY = "GFLOP/s", "GB/s"


def kernels(times: dict) -> pd.DataFrame:
    """The kernels of one inference, those that take the most time first.

    Args:
        times: the content of the attribute `kernel_times`, see `dataset.kernel_times`.

    Returns:
        A row per kernel: `kernel`, `calls`, `ms` of all its calls, `share_percent` of the time in
        kernels, `gflops` and `gbytes` per second, `limit` (what limits it, `ARITHMETIC` or
        `MEMORY`), `rate` (which of both it is), `allowed` (how much of that the roofline allows),
        and `roofline_percent`: how near the kernel comes to it.
    """
    found = pd.DataFrame.from_dict(times["kernels"], orient="index").rename_axis("kernel")
    found = found.reset_index().sort_values("seconds", ascending=False, ignore_index=True)
    calls, seconds = found["calls"], found["seconds"]
    flops, bytes_, constant_bytes = found["flops"], found["bytes"], found["constant_bytes"]
    peak, copies = times["flops"], times["copies"]
    allowed = metrics.roofline(calls, flops, bytes_, constant_bytes, peak, copies)
    rates = {
        ARITHMETIC: calls * flops / seconds / 1e9,
        MEMORY: calls * bytes_ / seconds / 1e9,
    }
    near = allowed.seconds / seconds
    of_memory = pd.Series(allowed.by_memory)
    rate = rates[MEMORY].where(of_memory, rates[ARITHMETIC])
    return found[["kernel", "calls"]].assign(
        ms=1000 * seconds,
        share_percent=100 * seconds / seconds.sum(),
        gflops=rates[ARITHMETIC],
        gbytes=rates[MEMORY],
        limit=of_memory.map({True: MEMORY, False: ARITHMETIC}),
        rate=rate,
        allowed=rate / near,
        roofline_percent=100 * near,
    )


def slow(found: pd.DataFrame) -> pd.DataFrame:
    """The kernels of `kernels` below half of what the roofline allows."""
    return found[found["roofline_percent"] < HALF]
