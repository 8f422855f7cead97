"""Convolutions on packed tensors, dense and depthwise."""

import math
from typing import Any

from deltann.tvm.cpu import packed_operators
from deltann.tvm.expressions import sides
from deltann.tvm.passes.pack_layout.packing import Packing


def conv2d(packing: Packing, call: Any) -> Any:
    """A convolution without groups, or with one per channel."""
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
    if groups == 1:
        return _dense(packing, call, weight, channels, axis)
    if groups == channels and sides(weight)[:2] == [channels, 1]:
        return _depthwise(packing, call, weight, channels, axis)
    return None


def _dense(packing: Packing, call: Any, weight: Any, channels: int, axis: int) -> Any:
    lanes = packing.lanes
    depth = lanes if call.args[0] in packing.tensors else min(lanes, channels)
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
