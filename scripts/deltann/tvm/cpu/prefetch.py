"""Weights asked for before they are needed.

A kernel's weights come from memory, since those of a whole network fit in no cache. A tile of
channels reads its own for its first pixels, as fast as it can multiply, which is faster than
memory; for all others they are in a cache. So while a tile computes, it asks for the next one's.
"""

import math
from typing import Any

from deltann.tvm import compat

# An annotation of a loop; see `plan`.
AHEAD = "deltann.ahead"
LINE = 64  # bytes that a cache asks memory for at once
FIRST_LEVEL = 3  # the cache to put them in, as `llvm.prefetch` counts
# Lines of each step: below it, a tile has so many pixels that its first ones hardly matter.
LEAST = 0.5


def plan(work: Any, block: Any, loop: Any, tiles: int, rows: int, blocks: int) -> None:
    """Annotate a loop with what `insert` needs, where a kernel has so few pixels that it pays.

    Args:
        work: the `tvm.s_tir.Schedule`.
        block: a sum of products, with weights as the last of what it reads. They are in the order
            in which tiles take them.
        loop: the loop whose every step asks for an equal part. The outermost loop of its nest
            goes through tiles, and for each through rows.
        tiles: how many tiles of channels there are.
        rows: how often a tile is computed.
        blocks: the outermost places of the weights that a tile takes.
    """
    weights = compat.last_read_buffer(work, block)
    operands = work.mod["main"].params
    numbers = [number for number, item in enumerate(operands) if item.same_as(weights)]
    if not numbers or tiles == 1:
        return
    taken = blocks * math.prod(int(side) for side in weights.shape[1:])
    work.annotate(loop, AHEAD, [numbers[0], taken, tiles, rows])


def insert(function: Any) -> Any:
    """The scheduled kernel with the prefetches that its loops are annotated with."""
    from tvm import tirx

    operands = function.params

    def visit(statement: Any, around: list) -> Any:
        if isinstance(statement, tirx.SeqStmt):
            return tirx.SeqStmt([visit(item, around) for item in statement])
        if not isinstance(statement, tirx.For):
            return statement
        notes = dict(statement.annotations)
        inside = [*around, statement]
        body = visit(statement.body, inside)
        if AHEAD in notes:
            number, *sizes = (int(size) for size in notes.pop(AHEAD))
            asked = _prefetches(operands[number], inside, *sizes)
            body = tirx.SeqStmt([*asked, body]) if asked else body
        return tirx.For(
            statement.loop_var,
            statement.min,
            statement.extent,
            statement.kind,
            body,
            statement.thread_binding,
            notes,
        )

    root = function.body.block
    return function.with_body(compat.with_block_body(function.body, visit(root.body, [])))


def _prefetches(weights: Any, loops: list, taken: int, tiles: int, rows: int) -> list:
    """The prefetches of one step: its part of the next tile's weights."""
    import tvm_ffi
    from tvm import tirx

    outermost, *inner = loops
    width = tvm_ffi.dtype(weights.dtype).itemsize
    steps = math.prod(int(loop.extent) for loop in inner)
    part = taken * width / LINE / (rows * steps)
    if part < LEAST:
        return []
    number = outermost.loop_var % rows
    for loop in inner:
        number = number * loop.extent + loop.loop_var
    # the last tile asks for its own, which a cache has
    tile = tirx.min(outermost.loop_var // rows % tiles + 1, tiles - 1)
    first = tile * taken + number * (math.ceil(part) * LINE // width)
    zeros = [0] * (len(weights.shape) - 1)  # so that the last index counts numbers in memory
    result = []
    for line in range(math.ceil(part)):
        place = tirx.BufferLoad(weights, [*zeros, first + line * (LINE // width)])
        settings = [tirx.const(value, "int32") for value in (0, FIRST_LEVEL, 1)]
        call = tirx.call_llvm_intrin("void", "llvm.prefetch", tirx.address_of(place), *settings)
        result.append(tirx.Evaluate(call))
    return result
