"""How long each kernel of a compiled model takes, and what its code reaches on this machine."""

import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from deltann.tvm.cpu import peaks

# Inferences with an instrument: at least one, at most so many and for so long.
REPEATS, SECONDS = 5, 0.2
# Runs of a kernel that measures a peak, of which the fastest counts.
PEAK_REPEATS = 10
# Bytes that a copy reads and writes: from what the nearest cache holds to what few hold.
COPIED = tuple(4**power for power in range(8, 14))
# The machine runs kernels of its own, such as `vm.builtin.reshape`, under this prefix.
BUILTIN = "vm."


def measure(library: Any, machine: Any, image: Any, lanes: int) -> dict:
    """Kernel times, and peaks right beside them, on the same threads.

    Args:
        library: the loaded library, `tvm.runtime.Module`.
        machine: a `VirtualMachine` that has it. It is slower afterwards, for its instrument.
        image: the model's input, `tvm.runtime.Tensor`.
        lanes: those of `peaks.kernels`.

    Returns:
        `kernels`: by name, the `calls` and `seconds` in one inference, the median of some.
        `flops`: operations per second of `peaks.MULTIPLY`, the best of some. `copies`: pairs of
        the bytes that `peaks.COPY` reads and writes, and its bytes per second, likewise.
    """
    code = library.imports[0]
    before = _multiply(code[peaks.MULTIPLY], lanes)
    found = kernels(machine, image)
    return {
        "kernels": found,
        "flops": max(before, _multiply(code[peaks.MULTIPLY], lanes)),
        "copies": [[size, _copy(code[peaks.COPY], size)] for size in COPIED],
    }


def kernels(machine: Any, image: Any) -> dict[str, dict[str, float]]:
    """The calls and seconds of each kernel in one inference: see `measure`."""
    inferences: list[dict[str, list[float]]] = []
    started: list[float] = []

    def look(_function: Any, name: str, before: bool, *_others: Any) -> None:
        if before:
            started.append(time.perf_counter())
        else:
            inferences[-1][name].append(time.perf_counter() - started.pop())

    machine.set_instrument(look)
    end = time.perf_counter() + SECONDS
    while not inferences or (len(inferences) < REPEATS and time.perf_counter() < end):
        inferences.append(defaultdict(list))
        machine["main"](image)
    return {
        name: {
            "calls": len(calls),
            "seconds": median(sum(inference[name]) for inference in inferences),
        }
        for name, calls in inferences[0].items()
        if not name.startswith(BUILTIN)
    }


def _multiply(kernel: Any, lanes: int) -> float:
    """Operations per second."""
    import numpy as np
    import tvm

    # numbers whose sums stay small: infinite or denormal ones may be slow
    operands = [
        tvm.runtime.tensor(np.ones(shape, np.float32)) for shape in peaks.multiply_shapes(lanes)
    ]
    return peaks.flops(lanes) / _fastest(lambda: kernel(*operands))


def _copy(kernel: Any, size: int) -> float:
    """Bytes per second, read and written together, of a copy of `size` bytes, both together."""
    rows = size // peaks.copied(1)
    source, target = (_empty((rows, peaks.ROW)) for _ in range(2))
    kernel(target, source)  # only memory that was written to is there
    return peaks.copied(rows) / _fastest(lambda: kernel(source, target))


def _empty(shape: tuple[int, ...]) -> Any:
    import tvm

    return tvm.runtime.empty(shape, "float32")


def _fastest(run: Callable[[], object]) -> float:
    def seconds() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    return min(seconds() for _ in range(PEAK_REPEATS))
