"""A kernel that gathers the channels of packed tensors into another packed tensor, in any order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

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
    from tvm import s_tir, tirx

    n, _, height, width, wide = list(parts[0].ty.shape)
    kind, lanes = parts[0].ty.dtype, int(wide)
    blocks = tirx.const(math.ceil(len(sources) / lanes), "int64")
    buffers = [
        tirx.decl_buffer([*part.ty.shape], kind, f"part{number}")
        for number, part in enumerate(parts)
    ]
    result = tirx.decl_buffer([n, blocks, height, width, wide], kind, "moved")
    loops = [tirx.Var(name, "int64") for name in ("i", "y", "x")]
    extents = [_whole(side) for side in (n, height, width)]
    places = [
        tirx.IterVar(extent, tirx.Var(f"v{loop.name}", "int64"), tirx.IterVar.DataPar)
        for loop, extent in zip(loops, extents, strict=True)
    ]
    image, y, x = (place.var for place in places)

    def vector(block: int) -> list:
        return [image, block, y, x, tirx.Ramp(0, 1, lanes)]

    stores = [
        tirx.BufferStore(
            result,
            _shuffled(buffers, sources[block * lanes : (block + 1) * lanes], lanes, vector),
            vector(block),
        )
        for block in range(int(blocks))
    ]
    whole = [_pixel(buffer, image, y, x) for buffer in (*buffers, result)]
    body = tirx.SeqStmt(stores) if len(stores) > 1 else stores[0]
    inner = s_tir.SBlock(places, whole[:-1], whole[-1:], MOVED, body)
    body = s_tir.SBlockRealize(loops, True, inner)
    for loop, extent in reversed([*zip(loops, extents, strict=True)]):
        body = tirx.For(loop, extent.min, extent.extent, tirx.ForKind.SERIAL, body)
    root = s_tir.SBlockRealize([], True, s_tir.SBlock([], [], [], "root", body))
    # TVM counts no operations in a shuffle, and raises
    known = {"tirx.noalias": True, "estimated_flops": 0}
    return tirx.PrimFunc([*buffers, result], root).with_attrs(known)


def _shuffled(buffers: list, sources: np.ndarray, lanes: int, vector: Any) -> Any:
    """A vector of channels from their parts; zeros fill the lanes after the last channel."""
    from tvm import tirx

    taken: dict = {}
    indices = []
    for part, channel in sources.tolist():
        number = taken.setdefault((part, channel // lanes), len(taken))
        indices.append(number * lanes + channel % lanes)
    vectors = [tirx.BufferLoad(buffers[part], vector(block)) for part, block in taken]
    if indices == list(range(lanes)):
        return vectors[0]
    if len(indices) < lanes:
        indices += [len(vectors) * lanes] * (lanes - len(indices))
        vectors.append(tirx.Broadcast(tirx.const(0, buffers[0].dtype), lanes))
    return tirx.Shuffle(vectors, indices)


def _pixel(buffer: Any, image: Any, y: Any, x: Any) -> Any:
    """All channels of a pixel of a packed tensor."""
    import tvm
    from tvm import tirx

    _, blocks, _, _, lanes = buffer.shape
    one = (tvm.ir.Range.from_min_extent(place, tirx.const(1, "int64")) for place in (image, y, x))
    image, y, x = one
    return tirx.BufferRegion(buffer, [image, _whole(blocks), y, x, _whole(lanes)])


def _whole(side: Any) -> Any:
    """All places along an axis."""
    import tvm
    from tvm import tirx

    return tvm.ir.Range.from_min_extent(tirx.const(0, "int64"), side)
