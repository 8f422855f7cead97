"""What it gives to compute an inverted residual's expansion and depthwise convolution together.

Run with TVM's environment:

    .envs/tvm/bin/python benchmarks/compile/fused_residual.py

Apart, the kernels are the study's. Together, a band of rows of one block of channels is expanded
into a buffer that stays in a cache, and convolved from there; rows at a band's edge are expanded
twice. Every answer is compared with that of the kernels apart. One thread.
"""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

os.environ["TVM_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import numpy as np  # noqa: E402

from deltann.tvm.cpu import packed_operators, prefetch, schedules  # noqa: E402
from deltann.tvm.load import load_tvm  # noqa: E402
from deltann.tvm.target_kinds import llvm  # noqa: E402

LANES, WINDOW, HIGHEST = 16, 3, 6.0
ROUNDS, COLUMNS, BANDS = 31, 14, (4, 7, 8, 14)


class Pair(NamedTuple):
    """An expansion and a depthwise convolution of MobileNetV2, on blocks of 16 channels."""

    taken: int
    side: int
    given: int
    stride: int
    times: int


PAIRS = (
    Pair(1, 112, 6, 2, 1),
    Pair(2, 56, 9, 1, 1),
    Pair(2, 56, 9, 2, 1),
    Pair(2, 28, 12, 1, 2),
    Pair(2, 28, 12, 2, 1),
    Pair(4, 14, 24, 1, 4),
    Pair(6, 14, 36, 1, 2),
    Pair(6, 14, 36, 2, 1),
    Pair(10, 7, 60, 1, 3),
)


def activated(data: Any, bias: Any, name: str) -> Any:
    """A bias added, and the result clipped as ReLU6 does."""
    from tvm import te, tirx

    zero, highest = (tirx.const(value, "float32") for value in (0.0, HIGHEST))
    return te.compute(
        data.shape,
        lambda i, c, y, x, lane: tirx.max(
            tirx.min(data[i, c, y, x, lane] + bias[0, c, 0, 0, lane], highest), zero
        ),
        name=name,
    )


def operands(pair: Pair) -> list:
    """The image, and weights and biases of both convolutions."""
    from tvm import te

    shapes = (
        (1, pair.taken, pair.side, pair.side, LANES),
        (pair.given, pair.taken, 1, 1, LANES, LANES),
        (1, pair.given, 1, 1, LANES),
        (pair.given, WINDOW, WINDOW, LANES),
        (1, pair.given, 1, 1, LANES),
    )
    return [te.placeholder(shape, name=f"operand{number}") for number, shape in enumerate(shapes)]


def apart(pair: Pair, registers: int) -> tuple:
    """The study's kernels, scheduled by its rules."""
    from tvm import te

    def attributes(edge: int, stride: int) -> Any:
        return SimpleNamespace(
            padding=[edge] * 4, strides=[stride] * 2, dilation=[1, 1], out_dtype="float32"
        )

    image, weight, bias, window, other = operands(pair)
    wide = te.placeholder((1, pair.given, pair.side, pair.side, LANES), name="wide")
    expanded = packed_operators.conv2d(image, weight, attributes(0, 1), registers)
    result = packed_operators.depthwise(wide, window, attributes(1, pair.stride), registers)
    kernels = (
        te.create_prim_func([image, weight, bias, activated(expanded, bias, "act")]),
        te.create_prim_func([wide, window, other, activated(result, other, "act")]),
    )
    return tuple(prefetch.insert(schedules.schedule(kernel).mod["main"]) for kernel in kernels)


def _described(pair: Pair) -> Any:
    """Both convolutions as one kernel, unscheduled."""
    from tvm import te, tirx

    image, weight, bias, window, other = operands(pair)
    side, step = pair.side, pair.stride
    c, k = te.reduce_axis((0, pair.taken), "c"), te.reduce_axis((0, LANES), "k")
    dy, dx = (te.reduce_axis((0, WINDOW), name) for name in ("dy", "dx"))
    wide = te.compute(
        (1, pair.given, side, side, LANES),
        lambda i, b, y, x, lane: te.sum(
            image[i, c, y, x, k] * weight[b, c, 0, 0, k, lane], axis=[c, k]
        ),
        name="expanded",
    )
    wide = activated(wide, bias, "wide")
    padded = te.compute(
        (1, pair.given, side + 2, side + 2, LANES),
        lambda i, b, y, x, lane: tirx.if_then_else(
            tirx.all(y >= 1, y <= side, x >= 1, x <= side),
            wide[i, b, y - 1, x - 1, lane],
            tirx.const(0, "float32"),
        ),
        name="padded",
    )
    after = (side - 1) // step + 1
    result = te.compute(
        (1, pair.given, after, after, LANES),
        lambda i, b, y, x, lane: te.sum(
            padded[i, b, y * step + dy, x * step + dx, lane] * window[b, dy, dx, lane],
            axis=[dy, dx],
        ),
        name="result",
    )
    return te.create_prim_func(
        [image, weight, bias, window, other, activated(result, other, "act")]
    )


def together(pair: Pair, band: int, columns: int) -> Any:
    """Both convolutions as one kernel, which goes from band to band of `band` rows."""
    from tvm import s_tir

    work = s_tir.Schedule(_described(pair))
    names = ("expanded", "wide", "padded", "result", "act")
    expanded, wide, padded, result, act = map(work.get_sblock, names)
    i, block, y, x, lane = work.get_loops(act)
    y, row = work.split(y, [None, band])
    x, pixel = work.split(x, [None, columns])
    work.reorder(i, block, y, row, x, pixel, lane)
    bands = work.fuse(i, block, y)
    work.parallel(bands)
    work.compute_at(result, x, preserve_unit_loops=True)
    work.set_scope(result, 0, "local")
    *_, inner, vector, dy, dx = work.get_loops(result)
    work.reorder(dy, dx, inner, vector)
    for loop in (dy, dx, inner, pixel):
        work.unroll(loop)
    for loop in (vector, lane):
        work.vectorize(loop)
    work.decompose_reduction(result, dy)
    for block in (padded, wide, expanded):
        work.compute_at(block, bands, preserve_unit_loops=True)
    *_, y, x, lane, c, k = work.get_loops(expanded)
    x, inner = work.split(x, [None, min(COLUMNS, pair.side)])
    work.reorder(y, x, c, k, inner, lane)
    work.reverse_compute_at(wide, x, preserve_unit_loops=True)
    work.set_scope(expanded, 0, "local")
    for block in (expanded, wide):
        *_, pixel, lane = work.get_loops(block)
        work.unroll(pixel)
        work.vectorize(lane)
    work.decompose_reduction(expanded, c)
    work.vectorize(work.get_loops(padded)[-1])
    return work.mod["main"]


def seconds(work: Any) -> float:
    """Of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(pair: Pair, target: Any, registers: int) -> tuple[float, float, int]:
    """Median seconds apart and together, with the best band, and that band."""
    tvm = load_tvm()

    def built(kernel: Any) -> Any:
        return tvm.compile(tvm.IRModule({"main": kernel}), target=target)["main"]

    generator = np.random.default_rng(0)
    given = [
        tvm.runtime.tensor(
            generator.standard_normal([int(side) for side in item.shape], np.float32)
        )
        for item in operands(pair)
    ]
    image, weight, bias, window, other = given
    after = (pair.side - 1) // pair.stride + 1
    wide, *results = (
        tvm.runtime.tensor(np.zeros((1, pair.given, side, side, LANES), np.float32))
        for side in (pair.side, after, after)
    )
    first, second = map(built, apart(pair, registers))

    def both() -> None:
        first(image, weight, bias, wide)
        second(wide, window, other, results[0])

    columns = next(size for size in (8, 7) if after % size == 0)
    ways = {band: built(together(pair, band, columns)) for band in BANDS if after % band == 0}
    times: dict[int, list[float]] = {band: [] for band in (0, *ways)}
    for _ in range(ROUNDS):
        times[0].append(seconds(both))
        for band, way in ways.items():
            times[band].append(seconds(lambda way=way: way(*given, results[1])))
            np.testing.assert_allclose(results[1].numpy(), results[0].numpy(), rtol=1e-5, atol=1e-5)
    medians = {band: float(np.median(some)) for band, some in times.items()}
    best = min(ways, key=lambda band: medians[band])
    return medians[0], medians[best], best


def main() -> None:
    """Print a table."""
    tvm = load_tvm()
    target = tvm.target.Target(llvm.resolve({"kind": "llvm", "mcpu": "host"}))
    print(
        "| channels | side | stride | times | apart, ms | together, ms | ratio | rows of a band |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    sums = np.zeros(2)
    for pair in PAIRS:
        *found, band = measured(pair, target, llvm.vectors(target).registers)
        sums += pair.times * np.array(found)
        channels = f"{pair.taken * LANES} to {pair.given * LANES}"
        times = " | ".join(f"{1000 * value:.3f}" for value in found)
        print(
            f"| {channels} | {pair.side} | {pair.stride} | {pair.times} | {times} | "
            f"{found[1] / found[0]:.2f} | {band} |",
            flush=True,
        )
    print(
        f"All {sum(pair.times for pair in PAIRS)}: {sums[0] * 1000:.2f} ms and {sums[1] * 1000:.2f}"
    )


if __name__ == "__main__":
    main()
