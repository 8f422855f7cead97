"""Operators that move, join, cut or pad packed tensors."""

import math
from typing import Any

import numpy as np

from deltann.tvm.passes.pack_layout.packing import Packing
from deltann.tvm.passes.pack_layout.pooling import spatial_axes


def concat(packing: Packing, call: Any) -> Any:
    """Tensors joined along their channels, where all but the last fill whole blocks."""
    from tvm import relax

    fields = packing.value(call.args[0])
    parts = fields.fields if isinstance(fields, relax.Tuple) else []
    axis = int(call.attrs.axis) % 4
    packed = [packing.tensors.get(item) for item in parts]
    known = [item for item in packed if item and item.axis == axis]
    if not known or len(known) < len(packed):
        return None
    if any(item.channels % packing.lanes for item in known[:-1]):
        return None
    joined = relax.op.concat([item.variable for item in known], axis=1)
    return joined, sum(item.channels for item in known), axis


def channel_slice(packing: Packing, call: Any) -> Any:
    """A range of channels that is one of whole blocks."""
    from tvm import relax

    if call.args[0] not in packing.tensors or len(call.args) != 4:
        return None
    lanes = packing.lanes
    data, channels, axis = packing.tensors[call.args[0]]
    axes, begin, end = ([int(item.value) for item in part.fields] for part in call.args[1:])
    last = [channels, math.ceil(channels / lanes) * lanes]
    if axes != [axis] or begin[0] % lanes or (end[0] % lanes and end[0] not in last):
        return None
    stop = math.ceil(end[0] / lanes)
    cut = relax.op.strided_slice(data, [1], [begin[0] // lanes], [stop])
    return cut, end[0] - begin[0], axis


def permute_dims(packing: Packing, call: Any) -> Any:
    """NCHW to NHWC or back: the packed tensor stays as it is."""
    order = call.attrs.axes
    if call.args[0] not in packing.tensors or order is None:
        return None
    data, channels, axis = packing.tensors[call.args[0]]
    moved = {1: [0, 2, 3, 1], 3: [0, 3, 1, 2]}[axis]
    return (data, channels, 4 - axis) if [*map(int, order)] == moved else None


def pad(packing: Packing, call: Any) -> Any:
    """A constant around height and width."""
    from tvm import relax

    if call.args[0] not in packing.tensors or call.attrs.pad_mode != "constant":
        return None
    pairs = np.reshape([int(side) for side in call.attrs.pad_width], (4, 2))
    data, *rest = packing.tensors[call.args[0]]
    if pairs[[0, rest[1]]].any():
        return None
    width = [0, 0, 0, 0, *pairs[spatial_axes(packing, call)].ravel().tolist(), 0, 0]
    return relax.op.nn.pad(data, width, pad_value=call.attrs.pad_value), *rest
