"""Convolutions on packed tensors, dense and depthwise."""

import math
from typing import Any

import numpy as np

from deltann.tvm.cpu import packed_operators
from deltann.tvm.expressions import sides
from deltann.tvm.passes.pack_layout import integer
from deltann.tvm.passes.pack_layout.packing import Packing

# More groups than this in a block of channels would multiply mostly by zeros.
MOST_TOGETHER = 8


def conv2d(packing: Packing, call: Any) -> Any:
    """A convolution without groups, with one per channel, or with groups that fill blocks."""
    from tvm import relax

    attributes, weight = call.attrs, packing.visit(call.args[1])
    layout, kernel = attributes.data_layout, attributes.kernel_layout
    if not packing.known_layout(call, layout) or kernel not in ("OIHW", "HWIO", "HWOI"):
        return None
    axis = layout.index("C")
    groups, channels = int(attributes.groups), sides(call.args[0])[axis]
    if kernel != "OIHW":
        order = [kernel.index(letter) for letter in "OIHW"]
        weight = packing.emit(relax.op.permute_dims(weight, order))
    if str(call.ty.dtype) == "int32":
        return integer.conv2d(packing, call, weight, axis)
    if groups == 1:
        return _dense(packing, call, weight, channels, axis)
    if groups == channels and sides(weight)[:2] == [channels, 1]:
        return _depthwise(packing, call, weight, channels, axis)
    together = _together(packing.lanes, channels // groups, sides(weight)[0] // groups)
    if together > MOST_TOGETHER or not _fill(packing, weight, groups, together):
        return None
    return _grouped(packing, call, weight, axis, together)


def _dense(packing: Packing, call: Any, weight: Any, channels: int, axis: int) -> Any:
    lanes = packing.lanes
    depth = lanes
    if channels < lanes and packing.find(call.args[0]) is None:
        depth = 1 if axis == 1 else channels
    outer = math.ceil(channels / depth)
    outputs, _, *window = sides(weight)
    count = packing.blocks(outputs)
    padded = [count * lanes, outer * depth, *window]
    shape = [count, lanes, outer, depth, *window]
    weight = packing.arrange(weight, padded, shape, [0, 2, 4, 5, 3, 1])
    data = packing.pack(call.args[0], depth, axis)
    result = packing.call_te(
        packed_operators.conv2d,
        data,
        weight,
        call.attrs,
        packing.registers,
        primfunc_name_hint=packed_operators.CONV2D,
    )
    return result, outputs, axis


def _together(lanes: int, taken: int, given: int) -> int:
    """How many groups fill whole blocks of channels, of the input and of the result."""
    return math.lcm(*(lanes // math.gcd(lanes, channels) for channels in (taken, given)))


def _fill(packing: Packing, weight: Any, groups: int, together: int) -> bool:
    """Whether the last groups together take no more blocks than the channels do."""
    whole = math.ceil(groups / together) * together
    outputs, taken, *_ = sides(weight)
    both = (taken * groups, taken * whole), (outputs, outputs // groups * whole)
    return all(packing.blocks(channels) * packing.lanes == full for channels, full in both)


def _grouped(packing: Packing, call: Any, weight: Any, axis: int, together: int) -> Any:
    """Groups of whole blocks, made of the operator's groups; weights between those are zero."""
    from tvm import relax

    lanes, groups = packing.lanes, math.ceil(int(call.attrs.groups) / together)
    outputs, taken, *window = sides(weight)
    given, inputs = outputs // int(call.attrs.groups), together * taken
    missing = groups * together * given - outputs
    if missing:
        width = [0, missing, *[0, 0] * (len(window) + 1)]
        weight = packing.emit(relax.op.nn.pad(weight, width))
    if together > 1:
        apart = [groups, together, given, 1, taken, *window]
        own = np.eye(together, dtype=bool).reshape(1, together, 1, together, 1, 1, 1)
        weight = packing.emit(relax.op.reshape(weight, apart))
        zero = relax.const(0, weight.ty.dtype)
        weight = packing.emit(relax.op.where(relax.const(own), weight, zero))
    rows, outer = (outputs + missing) // lanes, inputs // lanes
    shape = [rows, lanes, outer, lanes, *window]
    weight = packing.arrange(weight, sides(weight), shape, [0, 2, 4, 5, 3, 1])
    result = packing.call_te(
        packed_operators.conv2d,
        packing.pack(call.args[0], lanes, axis),
        weight,
        call.attrs,
        packing.registers,
        groups,
        primfunc_name_hint=packed_operators.CONV2D,
    )
    return result, outputs, axis


def _depthwise(packing: Packing, call: Any, weight: Any, channels: int, axis: int) -> Any:
    lanes = packing.lanes
    count, window = packing.blocks(channels), sides(weight)[2:]
    padded, shape = [count * lanes, 1, *window], [count, lanes, *window]
    weight = packing.arrange(weight, padded, shape, [0, 2, 3, 1])
    data = packing.pack(call.args[0], lanes, axis)
    result = packing.call_te(
        packed_operators.depthwise,
        data,
        weight,
        call.attrs,
        packing.registers,
        primfunc_name_hint=packed_operators.DEPTHWISE,
    )
    return result, channels, axis
