"""Quantized operators on packed tensors: convolutions and matrix products of uint8 by int8."""

import math
from functools import partial
from typing import Any

from deltann.tvm import compat
from deltann.tvm.cpu import integer_operators, packed_operators
from deltann.tvm.cpu.integer_operators import GROUP, LANES, Window
from deltann.tvm.expressions import operator, sides
from deltann.tvm.passes.pack_layout.packing import Packing


def conv2d(packing: Packing, call: Any, weight: Any, axis: int) -> Any:
    """A convolution that `integer_arithmetic` wrote, dense or depthwise.

    Args:
        packing: of the function.
        call: `relax.nn.conv2d` of uint8 by int8, with sums of int32.
        weight: in the layout OIHW.
        axis: of the channels.
    """
    data, window = _padded(packing, call, axis, sides(weight)[3])
    channels, (outputs, *_) = sides(call.args[0])[axis], sides(weight)
    if int(call.attrs.groups) > 1:
        kernel, hint = integer_operators.depthwise, integer_operators.DEPTHWISE
        pixels, weight = packing.pack(data, LANES, axis), _depthwise_weight(packing, weight)
    else:
        kernel, hint = integer_operators.conv2d, integer_operators.CONV2D
        few = channels < LANES and packing.find(data) is None
        depth = math.ceil(channels / GROUP) * GROUP if few else LANES
        pixels, weight = _pixels(packing, data, depth, axis), _weight(packing, weight, depth)
    # call_te knows no dataclasses
    function = partial(kernel, attributes=window)
    result = packing.call_te(function, pixels, weight, primfunc_name_hint=hint)
    return result, outputs, axis


def _padded(packing: Packing, call: Any, axis: int, wide: int) -> tuple[Any, Window]:
    """A convolution's input before a `relax.nn.pad` of height and width, which joins its window."""
    attrs = call.attrs
    padding, fill, data = [int(side) for side in attrs.padding], 0, call.args[0]
    pad = packing.original(data)
    if not any(padding) and operator(pad) == "relax.nn.pad":
        widths = [int(side) for side in pad.attrs.pad_width]
        pairs = [widths[2 * at : 2 * at + 2] for at in range(4)]
        (top, bottom), (left, right) = (pairs[at] for at in (1, 2, 3) if at != axis)
        if pairs[0] == pairs[axis] == [0, 0]:
            padding, fill = [top, left, bottom, right], int(pad.attrs.pad_value)
            data = pad.args[0]
    strides, dilation = ([int(side) for side in item] for item in (attrs.strides, attrs.dilation))
    return data, Window(strides, padding, dilation, fill, wide)


def _pixels(packing: Packing, data: Any, depth: int, axis: int) -> Any:
    """A tensor in blocks of `depth` channels."""
    if depth == LANES:
        return packing.pack(data, LANES, axis)
    return packing.emit(packing.call_te(packed_operators.pack, packing.visit(data), depth, axis))


def _weight(packing: Packing, weight: Any, depth: int) -> Any:
    outputs, inputs, *window = sides(weight)
    count, outer = packing.blocks(outputs), math.ceil(inputs / depth)
    padded = [count * LANES, outer * depth, *window]
    shape = [count, LANES, outer, depth // GROUP, GROUP, *window]
    return packing.arrange(weight, padded, shape, [0, 2, 5, 6, 3, 1, 4])


def _depthwise_weight(packing: Packing, weight: Any) -> Any:
    channels, _, high, wide = sides(weight)
    count, groups = packing.blocks(channels), math.ceil(wide / GROUP)
    padded = [count * LANES, 1, high, groups * GROUP]
    shape = [count, LANES, high, groups, GROUP]
    return packing.arrange(weight, padded, shape, [0, 2, 3, 1, 4])


def dense(packing: Packing, call: Any) -> Any:
    """The call of a kernel for a product of few rows of uint8 and a matrix of int8."""
    from tvm import relax

    data, weight = (packing.visit(item) for item in call.args)
    inputs, outputs = sides(weight)
    groups, count = math.ceil(inputs / GROUP), packing.blocks(outputs)
    if inputs % GROUP:
        data = packing.emit(relax.op.nn.pad(data, [0, 0, 0, groups * GROUP - inputs]))
    padded, shape = [groups * GROUP, count * LANES], [groups, GROUP, count, LANES]
    weight = packing.arrange(weight, padded, shape, [2, 0, 3, 1])
    return packing.call_te(
        integer_operators.dense, data, weight, outputs, primfunc_name_hint=integer_operators.DENSE
    )


def scaled(packing: Packing, call: Any) -> Any:
    """Quantize or dequantize, by one scale for the whole tensor."""
    from tvm import relax

    item = packing.find(call.args[0])
    if item is None:
        return None
    parameters = [compat.constant(packing.value(item)) for item in call.args[1:]]
    if any(value is None or value.size != 1 for value in parameters):
        return None
    data, *rest = item
    scale, zero = (relax.const(value.reshape(())) for value in parameters)
    return relax.Call(call.op, [data, scale, zero], call.attrs), *rest
