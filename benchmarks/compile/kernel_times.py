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

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann.provenance import files  # noqa: E402  the folder above first

REPEATS = 20
SIDE, COPIED = 2048, 2**27


def peaks() -> tuple[float, float]:
    """Operations and bytes per second: the best of NumPy's matrix product, and of its copies."""
    import numpy as np

    one = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    source = np.ones(COPIED // 4, np.float32)
    target = np.zeros_like(source)
    multiply = min(_seconds(lambda: one @ one) for _ in range(REPEATS))
    copy = min(_seconds(lambda: np.copyto(target, source)) for _ in range(REPEATS))
    return 2 * SIDE**3 / multiply, 2 * COPIED / copy


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
    # both are read when the libraries start
    os.environ["TVM_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
    for item in options.library:
        print(table(item, options.kernels), end="\n\n", flush=True)
