"""Schedules of the kernels of `integer_operators`, as those of `packed_schedules`."""

from typing import Any

from deltann.tvm.cpu import integer_operators
from deltann.tvm.cpu.instructions import dot_product, transposed_dot_product
from deltann.tvm.cpu.packed_schedules import Choice, finish


def conv2d(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over rows and channel blocks; the tile of sums stays in registers."""
    n, outer, row, column, lane, c, dy, dx, group, k = work.get_loops(block)
    outer, inner = work.split(outer, [None, choice.blocks])
    column, pixel = work.split(column, [None, choice.columns])
    around = [outer, row] if choice.rows_first else [row, outer]
    work.reorder(n, *around, column, c, dy, dx, group, inner, pixel, lane, k)
    work.parallel(work.fuse(n, *around))
    finish(work, block, epilogue, column, [inner, pixel], lane, instruction=True)
    _dot_product(work, block, c, lane, dot_product())


def depthwise(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over rows and channel blocks; the window is unrolled."""
    n, outer, row, column, lane, dy, group, k = work.get_loops(block)
    column, pixel = work.split(column, [None, choice.columns])
    work.reorder(n, outer, row, column, dy, group, pixel, lane, k)
    work.parallel(work.fuse(n, outer, row))
    finish(work, block, epilogue, column, [dy, group, pixel], lane, instruction=True)
    _dot_product(work, block, dy, lane, transposed_dot_product())


def dense(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over groups of channel blocks."""
    n, outer, lane, group, k = work.get_loops(block)
    outer, inner = work.split(outer, [None, choice.blocks])
    work.reorder(n, outer, group, inner, lane, k)
    fused = work.fuse(n, outer)
    work.parallel(fused)
    finish(work, block, work.cache_write(block, 0, "global"), fused, [inner], lane, True)
    _dot_product(work, block, group, lane, dot_product())


def _dot_product(work: Any, block: Any, first: Any, lane: Any, instruction: str) -> None:
    """Sums that start with zeros before a loop, and an instruction for the loop over lanes."""
    start = work.decompose_reduction(block, first)
    work.vectorize(work.get_loops(start)[-1])
    work.tensorize(lane, instruction)


SCHEDULES = {
    integer_operators.CONV2D: conv2d,
    integer_operators.DEPTHWISE: depthwise,
    integer_operators.DENSE: dense,
}
