"""Schedules of the kernels of `packed_operators`: a register tile of results, lanes as vectors.

Each takes a `Choice`; `choices` lists those of a kernel. The schedule `rules` takes the first,
`tuned` the fastest measured one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from deltann.tvm.cpu import integer_operators, matrix_operators, packed_operators, prefetch

# The kinds of packed kernels.
PACKED = (
    packed_operators.CONV2D,
    packed_operators.DEPTHWISE,
    matrix_operators.DENSE,
    matrix_operators.MATMUL,
    integer_operators.CONV2D,
    integer_operators.DEPTHWISE,
    integer_operators.DENSE,
)
# The most vectors of results that a choice keeps in registers; no target has more.
LARGEST = 32


class Choice(NamedTuple):
    """The parameters of a schedule.

    Attributes:
        columns: pixels of a row in the register tile.
        blocks: channel blocks in the register tile, or that a matrix product sums together.
        rows_first: whether a thread's next tile is of the next row, so that weights stay in its
            cache, or of the next channel blocks, so that the row does.
    """

    columns: int
    blocks: int
    rows_first: bool


def conv2d(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over rows and channel blocks; the tile stays in registers over the reduction."""
    n, outer, row, column, lane, c, dy, dx, k = work.get_loops(block)
    outer, inner = work.split(outer, [None, choice.blocks])
    column, pixel = work.split(column, [None, choice.columns])
    around = [outer, row] if choice.rows_first else [row, outer]
    work.reorder(n, *around, column, c, dy, dx, k, inner, pixel, lane)
    tiles, rows = (int(work.get(loop).extent) for loop in (outer, row))
    work.parallel(work.fuse(n, *around))
    finish(work, block, epilogue, column, [inner, pixel], lane)
    work.decompose_reduction(block, c)
    if choice.rows_first:
        prefetch.plan(work, block, c, tiles, rows, choice.blocks)


def depthwise(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over rows and channel blocks; the window is unrolled."""
    n, outer, row, column, lane, dy, dx = work.get_loops(block)
    column, pixel = work.split(column, [None, choice.columns])
    work.reorder(n, outer, row, column, dy, dx, pixel, lane)
    work.parallel(work.fuse(n, outer, row))
    finish(work, block, epilogue, column, [dy, dx, pixel], lane)
    work.decompose_reduction(block, dy)


def dense(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over groups of channel blocks."""
    n, outer, lane, k = work.get_loops(block)
    outer, inner = work.split(outer, [None, choice.blocks])
    work.reorder(n, outer, k, inner, lane)
    fused = work.fuse(n, outer)
    work.parallel(fused)
    finish(work, block, work.cache_write(block, 0, "global"), fused, [inner], lane)
    work.decompose_reduction(block, k)


def matmul(work: Any, block: Any, epilogue: Any, choice: Choice) -> None:
    """Parallel over tiles of rows and of channel blocks; the tile stays in registers over k."""
    *matrix, row, column, k = work.get_loops(block)
    row, inner_row = work.split(row, [None, choice.columns])
    column, inner, lane = work.split(column, [None, choice.blocks, _lanes(work, block)])
    around = [column, row] if choice.rows_first else [row, column]
    work.reorder(*matrix, *around, k, inner, inner_row, lane)
    fused = work.fuse(*matrix, *around)
    work.parallel(fused)
    finish(work, block, epilogue, fused, [inner, inner_row], lane)
    work.decompose_reduction(block, k)


def copy(work: Any, block: Any) -> None:
    """A copy of rows, parallel over them. LLVM makes vectors of a row, whatever its length.

    A row is of numbers, or of pixels whose channels are vectors already.
    """
    *outer, _ = work.get_loops(block)
    work.parallel(work.fuse(*outer))


def padding(work: Any, block: Any) -> None:
    """A copy into a padded buffer: parallel over rows, lanes as vectors.

    LLVM makes vectors of a row of single numbers.
    """
    *outer, _, lane = work.get_loops(block)
    work.parallel(work.fuse(*outer))
    if int(work.get(lane).extent) > 1:
        work.vectorize(lane)


def choices(work: Any, block: Any) -> list[Choice]:
    """The choices for a packed kernel's block; the rules' choice is the first.

    Raises:
        KeyError: the block isn't a packed kernel's.
    """
    name = packed_name(work, block)
    extents = [int(work.get(loop).extent) for loop in work.get_loops(block)]
    if name == matrix_operators.MATMUL:
        *_, width, columns, _ = extents
        return _choices(work, block, width, _divisors(columns // _lanes(work, block), 8))
    _, outer, *rest = extents
    if name in (matrix_operators.DENSE, integer_operators.DENSE):
        return [Choice(1, size, True) for size in reversed(_divisors(outer, 8))]
    if name in (packed_operators.DEPTHWISE, integer_operators.DEPTHWISE):
        return _choices(work, block, rest[1], [1], orders=[True])
    return _choices(work, block, rest[1], _divisors(outer, 8))


def _choices(
    work: Any, block: Any, width: int, sizes: list[int], orders: Sequence[bool] = (True, False)
) -> list[Choice]:
    """The rules' choice, and all others of these sizes, the nearest to it first."""
    columns, blocks = (int(side) for side in work.get(block).annotations["tile"])
    rules = Choice(columns, blocks, True)
    others = [
        Choice(columns, size, order)
        for columns in _divisors(width, LARGEST)
        for size in sizes
        for order in orders
        if columns * size <= LARGEST
    ]
    others = [choice for choice in others if choice != rules]
    return [rules, *sorted(others, key=lambda choice: _distance(choice, rules))]


def packed_name(work: Any, block: Any) -> str | None:
    """The kind of packed kernel that a block belongs to, of `PACKED`; None for others."""
    name = work.get(block).name_hint
    return next((prefix for prefix in PACKED if name.startswith(prefix)), None)


def _lanes(work: Any, block: Any) -> int:
    """The lanes of a vector of a matrix product's results."""
    return int(work.get(block).annotations["lanes"])


def _distance(choice: Choice, rules: Choice) -> float:
    """How far a choice is from the rules'. With a small budget only the nearest are measured."""
    sizes = choice.columns * choice.blocks, rules.columns * rules.blocks
    return max(sizes) / min(sizes) + (choice.rows_first != rules.rows_first) / 2


def _divisors(extent: int, limit: int) -> list[int]:
    return [size for size in range(1, min(extent, limit) + 1) if extent % size == 0]


def finish(
    work: Any,
    block: Any,
    epilogue: Any,
    at: Any,
    unrolled: list,
    lane: Any,
    instruction: bool = False,
) -> None:
    """Write the complete tile, through the epilogue if there is one; unroll and vectorize.

    Args:
        work: `tvm.s_tir.Schedule`.
        block: of the tile's sums.
        epilogue: the block that writes the results; None: there is none.
        at: the loop around a tile.
        unrolled, lane: the loops over a tile, the innermost last.
        instruction: whether an instruction will take the place of the loop over lanes.
    """
    # TVM 0.27 has stack for small buffers of this scope only; others cost a call each
    if epilogue is None:
        epilogue = work.cache_write(block, 0, "global")
    work.reverse_compute_at(epilogue, at, preserve_unit_loops=True)
    depth = next(
        level for level, loop in enumerate(work.get_loops(block)) if work.get(loop) == work.get(at)
    )
    *rest, last = work.get_loops(epilogue)[depth + 1 :]
    lanes = int(work.get(lane).extent)
    if int(work.get(last).extent) > lanes:
        blocks, last = work.split(last, [None, lanes])
        rest.append(blocks)
    # registers have no addresses: every index into the tile must be a constant
    for loop in [*unrolled, *rest]:
        work.unroll(loop)
    for loop in [last] if instruction else [lane, last]:
        work.vectorize(loop)


SCHEDULES = {
    packed_operators.CONV2D: conv2d,
    packed_operators.DEPTHWISE: depthwise,
    matrix_operators.DENSE: dense,
    matrix_operators.MATMUL: matmul,
}
