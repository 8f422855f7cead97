"""How fast kernels are, against what the machine allows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltann.metrics.arguments import as_finite, same_shape


class Allowed(NamedTuple):
    """What a roofline allows.

    Attributes:
        seconds: the least time of all calls of each kernel, float64 (kernel,).
        by_memory: whether memory limits it, and not arithmetic, bool (kernel,).
    """

    seconds: NDArray[np.float64]
    by_memory: NDArray[np.bool_]


def roofline(
    calls: ArrayLike,
    flops: ArrayLike,
    bytes_: ArrayLike,
    constant_bytes: ArrayLike,
    peak: float,
    copies: ArrayLike,
) -> Allowed:
    """The least seconds of each kernel of one inference: of its arithmetic, or of its memory.

    The least time of memory is that of a copy of as many bytes. What is computed in an inference
    is at best in the cache that holds the kernel's other operands and results. Constants come
    round once in an inference: they are at best in the cache that holds all of them.

    Args:
        calls: how often each kernel runs in one inference, reals (kernel,), at least 0.
        flops: its operations in one call, likewise.
        bytes_: bytes of its operands and results in one call, each once, likewise.
        constant_bytes: of these, the ones of constants, which differ from call to call, likewise.
        peak: operations per second that the machine reaches.
        copies: pairs of the bytes that a copy reads and writes, and the bytes per second that it
            reaches, positive reals (copy, 2).

    Source: Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for
    multicore architectures", 2009, with a bandwidth for each size.
    """
    number = _amounts("calls", calls)
    given = {"flops": flops, "bytes_": bytes_, "constant_bytes": constant_bytes}
    work = {name: _amounts(name, values) for name, values in given.items()}
    for name, values in work.items():
        same_shape("calls", number, name, values)
    operations, moved, constant = work.values()
    if not 0 < peak < np.inf:
        raise ValueError(f"peak: {peak!r}, expected a positive number of operations per second")
    if (constant > moved).any():
        raise ValueError(f"constant_bytes: holds {constant.max()}, expected at most bytes_")
    arithmetic = operations / peak
    others = moved - constant
    of_constants = bandwidth(copies, (number * constant).sum())
    memory = others / bandwidth(copies, others) + constant / of_constants
    return Allowed(number * np.maximum(arithmetic, memory), memory > arithmetic)


def bandwidth(copies: ArrayLike, working_set: ArrayLike) -> NDArray[np.float64]:
    """The bytes per second of a copy that reads and writes so many bytes.

    Between two sizes it follows the logarithm of the size. It never falls for fewer bytes: a copy
    of few takes most of its time to start, which isn't the memory's.

    Args:
        copies: see `roofline`.
        working_set: bytes, reals of any shape, at least 0.
    """
    pairs = as_finite("copies", copies, ndim=2)
    if pairs.shape[1] != 2 or pairs.min() <= 0:
        raise ValueError(f"copies: {pairs.tolist()}, expected pairs of positive numbers")
    sizes, rates = pairs[np.argsort(pairs[:, 0])].T
    best = np.maximum.accumulate(rates[::-1])[::-1]
    logarithm = np.log(np.maximum(np.asarray(working_set, np.float64), sizes[0]))
    return np.interp(logarithm, np.log(sizes), best)


def _amounts(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = as_finite(name, values, ndim=1)
    if array.min() < 0:
        raise ValueError(f"{name}: holds {array.min()}, expected numbers of at least 0")
    return array
