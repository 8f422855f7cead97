"""Which kernels of a compiled model take the time, and how near they come to this machine's peaks.

Run by TVM's environment; `kernel_times.py --help` says what it takes.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann.provenance import files  # noqa: E402  the folder above first

REPEATS = 20
# Operands of about half a megabyte together, and of a copy that no cache holds.
ROWS, INPUTS, OUTPUTS, LANES = 196, 240, 256, 16
SHAPES = [(ROWS, INPUTS), (OUTPUTS // LANES, INPUTS, LANES), (ROWS, OUTPUTS)]
COPIED = 2**27


def peaks() -> tuple[float, float]:
    """Operations and bytes per second: of a matrix product by our kernel, and of NumPy's copy."""
    import numpy as np

    from deltann.tvm.load import load_tvm

    tvm = load_tvm()
    product = _product(tvm)
    operands = [tvm.runtime.tensor(np.ones(shape, np.float32)) for shape in SHAPES]
    multiply = min(_seconds(lambda: product["main"](*operands)) for _ in range(10 * REPEATS))
    source = np.ones(COPIED // 4, np.float32)
    target = np.zeros_like(source)
    copy = min(_seconds(lambda: np.copyto(target, source)) for _ in range(REPEATS))
    return 2 * ROWS * INPUTS * OUTPUTS / multiply, 2 * COPIED / copy


def _product(tvm: Any) -> Any:
    """The compiled product of matrices that stay in a cache."""
    from tvm import te

    from deltann.tvm.cpu import matrix_operators, schedules
    from deltann.tvm.target_kinds import llvm

    processor = tvm.target.Target(llvm.resolve({"kind": "llvm", "mcpu": "host"}))
    data, weight = (te.placeholder(shape) for shape in SHAPES[:2])
    attributes = SimpleNamespace(out_dtype="float32")
    registers = llvm.vectors(processor).registers
    result = matrix_operators.matmul(data, weight, OUTPUTS, attributes, registers)
    kernel = schedules.schedule(te.create_prim_func([data, weight, result])).mod["main"]
    return tvm.compile(tvm.IRModule({"main": kernel}), target=processor)


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def kernels(library: Path, shape: list[int]) -> dict[str, list[float]]:
    """The seconds of each call of a kernel, by the kernel's name, in `REPEATS` inferences."""
    import numpy as np

    from deltann.tvm.load import load_tvm

    tvm = load_tvm()
    from tvm.runtime.vm import VirtualMachine

    machine = VirtualMachine(tvm.runtime.load_module(str(library)), tvm.cpu())
    image = tvm.runtime.tensor(np.random.default_rng(0).random(shape, np.float32))
    machine["main"](image)
    found, started = defaultdict(list), []

    def look(_function, name, before, _result, *_arguments) -> None:
        if before:
            started.append(time.perf_counter())
        else:
            found[name].append(time.perf_counter() - started.pop())

    machine.set_instrument(look)
    for _ in range(REPEATS):
        machine["main"](image)
    return found


def table(library: Path, count: int) -> str:
    """The kernels that take the most time, in markdown."""
    details = files.read_json(Path(f"{library}.json"))["details"]
    flops, bandwidth = peaks()
    found = kernels(library, details["input_shape"])
    total = sum(map(sum, found.values()))
    lines = [
        f"{library}: {1000 * total / REPEATS:.2f} ms in kernels. Peaks: {flops / 1e9:.0f} GFLOP/s, "
        f"{bandwidth / 1e9:.0f} GB/s.",
        "",
        "| kernel | calls | ms | share | GFLOP/s | GB/s | of what the roofline allows |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in sorted(found, key=lambda item: -sum(found[item]))[:count]:
        seconds = median(found[name])
        cells = [name, f"{len(found[name]) / REPEATS:.0f}", f"{1000 * seconds:.3f}"]
        cells.append(f"{sum(found[name]) / total:.0%}")
        if name in details["work"]:
            work = details["work"][name]
            allowed = max(work["flops"] / flops, work["bytes"] / bandwidth)
            cells += [
                f"{work['flops'] / seconds / 1e9:.0f}",
                f"{work['bytes'] / seconds / 1e9:.0f}",
            ]
            cells.append(f"{allowed / seconds:.0%}")
        lines.append(f"| {' | '.join(cells + [''] * (7 - len(cells)))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=Path, nargs="+", help="a compiled .so of the benchmark")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kernels", type=int, default=12, help="how many to show")
    options = parser.parse_args()
    os.environ["TVM_NUM_THREADS"] = str(options.threads)  # read when TVM starts
    for item in options.library:
        print(table(item, options.kernels), end="\n\n", flush=True)
