"""A kernel that gathers the channels of packed tensors into another packed tensor, in any order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltann.tvm.expressions import sides

# The name of the block that the schedules look for.
MOVED = "moved_channels"


def kernel(parts: Sequence[Any], sources: np.ndarray) -> Any:
    """The kernel, as a `tvm.tirx.PrimFunc`.

    Each vector of the result is put together from whole vectors of the parts by shuffles, which
    processors do in a cycle or two; TVM's `te` can't express that.

    Args:
        parts: packed tensors (see `packed_operators`) of one type, height and width, as
            expressions of Relax.
        sources: for each channel of the result, the part and the channel in it; shape (c, 2).
    """
    from tvm.script.ir_builder import IRBuilder
    from tvm.script.ir_builder import tirx as T

    kind, (n, _, height, width, lanes) = parts[0].ty.dtype, sides(parts[0])
    shapes = [sides(part) for part in parts]
    shapes.append([n, math.ceil(len(sources) / lanes), height, width, lanes])
    names = [f"part{number}" for number in range(len(parts))]
    with IRBuilder() as builder, T.prim_func(private=True, s_tir=True):
        # TVM counts no operations in a shuffle, and raises
        T.func_attr({"tirx.noalias": True, "estimated_flops": 0})
        *buffers, result = (
            T.arg(name, T.Buffer([T.int64(side) for side in shape], kind))
            for name, shape in zip([*names, "moved"], shapes, strict=True)
        )
        with T.grid(*map(T.int64, (n, height, width))) as loops, T.sblock(MOVED):
            image, y, x = T.axis.remap("SSS", [*loops])
            pixel = image, slice(None), y, x, slice(None)
            T.reads(*(buffer[pixel] for buffer in buffers))
            T.writes(result[pixel])
            for block in range(shapes[-1][1]):
                place = [image, block, y, x, T.Ramp(0, 1, lanes)]
                chosen = sources[block * lanes : (block + 1) * lanes]
                T.buffer_store(result, _shuffled(buffers, chosen, place, lanes), place)
    return builder.get()


def _shuffled(buffers: list, sources: np.ndarray, place: list, lanes: int) -> Any:
    """A vector of channels from their parts; zeros fill the lanes after the last channel."""
    from tvm import tirx

    taken: dict = {}
    indices = []
    for part, channel in sources.tolist():
        number = taken.setdefault((part, channel // lanes), len(taken))
        indices.append(number * lanes + channel % lanes)
    image, _, *pixel = place
    vectors = [tirx.BufferLoad(buffers[part], [image, block, *pixel]) for part, block in taken]
    if indices == list(range(lanes)):
        return vectors[0]
    if len(indices) < lanes:
        indices += [len(vectors) * lanes] * (lanes - len(indices))
        vectors.append(tirx.Broadcast(tirx.const(0, buffers[0].dtype), lanes))
    return tirx.Shuffle(vectors, indices)
