"""Schedules of the kernels of `packed`: a tile of the result in registers, lanes as vectors."""

from deltann import packed


def conv2d(work, block, epilogue) -> None:
    """Parallel over rows and channel blocks; the tile stays in registers over the reduction."""
    columns, blocks = tile(work, block)
    n, outer, row, column, lane, c, dy, dx, k = work.get_loops(block)
    outer, inner = work.split(outer, [None, blocks])
    column, pixel = work.split(column, [None, columns])
    work.reorder(n, outer, row, column, c, dy, dx, k, inner, pixel, lane)
    work.parallel(work.fuse(n, outer, row))
    _finish(work, block, epilogue, column, [inner, pixel], lane)
    work.decompose_reduction(block, c)


def depthwise(work, block, epilogue) -> None:
    """Parallel over rows and channel blocks; the window is unrolled."""
    columns, _ = tile(work, block)
    n, outer, row, column, lane, dy, dx = work.get_loops(block)
    column, pixel = work.split(column, [None, columns])
    work.reorder(n, outer, row, column, dy, dx, pixel, lane)
    work.parallel(work.fuse(n, outer, row))
    _finish(work, block, epilogue, column, [dy, dx, pixel], lane)
    work.decompose_reduction(block, dy)


def dense(work, block, epilogue) -> None:
    """Parallel over groups of channel blocks, whose sums are independent of each other."""
    n, outer, lane, k = work.get_loops(block)
    extent = int(work.get(outer).extent)
    together = max(size for size in range(1, 9) if extent % size == 0)
    outer, inner = work.split(outer, [None, together])
    work.reorder(n, outer, k, inner, lane)
    fused = work.fuse(n, outer)
    work.parallel(fused)
    _finish(work, block, work.cache_write(block, 0, "local"), fused, [inner], lane)
    work.decompose_reduction(block, k)


def padding(work, block) -> None:
    """Parallel over rows, lanes as vectors."""
    *outer, _, lane = work.get_loops(block)
    work.parallel(work.fuse(*outer))
    work.vectorize(lane)


def tile(work, block) -> list[int]:
    """Columns and channel blocks of the register tile, as the operator's definition chose them."""
    return [int(side) for side in work.get(block).annotations["tile"]]


def _finish(work, block, epilogue, at, unrolled: list, lane) -> None:
    """Write the tile out, through the epilogue if there is one, where the tile is complete."""
    if work.get(block).writes[0].source.scope() != "local":
        if epilogue is None:
            epilogue = work.cache_write(block, 0, "local")
        else:
            work.set_scope(block, 0, "local")
    work.reverse_compute_at(epilogue, at, preserve_unit_loops=True)
    depth = next(
        level for level, loop in enumerate(work.get_loops(block)) if work.get(loop) == work.get(at)
    )
    *rest, last = work.get_loops(epilogue)[depth + 1 :]
    # registers have no addresses: every index into the tile must be a constant
    for loop in [*unrolled, *rest]:
        work.unroll(loop)
    for loop in (lane, last):
        work.vectorize(loop)


SCHEDULES = {packed.CONV2D: conv2d, packed.DEPTHWISE: depthwise, packed.DENSE: dense}
