"""Convolutions and matrix products of whole numbers."""

from typing import Any

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import known_sides, operator, sides
from deltann.tvm.passes.integer_arithmetic.graph import Graph, Quantized

# The layouts whose convolutions `pack_layout` packs.
LAYOUTS = {("NCHW", "OIHW"), ("NHWC", "HWIO"), ("NHWC", "HWOI")}
# With more rows, products of matrices stay in float32: no integer kernel is made for them.
ROWS = 3
# How far from a whole number of steps of the sums a bias may be, which float32 rounded.
NEAR = 0.1


def conv2d(graph: Graph, call: Any) -> Any:
    from tvm import relax

    attrs = call.attrs
    layout, kernel = str(attrs.data_layout), str(attrs.kernel_layout)
    plain = str(attrs.out_layout) in ("", layout) and (layout, kernel) in LAYOUTS
    if not plain or str(call.ty.dtype) != "float32":
        return None
    data = graph.activations(call.args[0])
    weight = graph.weights(call.args[1], kernel.index("O")) if data else None
    if data is None or weight is None:
        return None
    order = [kernel.index(letter) for letter in "OIHW"]
    numbers, channels = weight.numbers.transpose(order), sides(call.args[0])[layout.index("C")]
    groups = int(attrs.groups)
    own = groups == channels == len(numbers) and numbers.shape[1] == 1
    if groups > 1 and not (own and [int(step) for step in attrs.dilation] == [1, 1]):
        return None
    top, left, bottom, right = (int(side) for side in attrs.padding)
    widths = {"H": [top, bottom], "W": [left, right]}
    around = [side for letter in layout for side in widths.get(letter, [0, 0])]
    pixels = data.numbers
    if any(around):
        pixels = graph.emit(relax.op.nn.pad(pixels, around, pad_value=data.zero))
    sums = relax.op.nn.conv2d(
        pixels,
        relax.const(np.ascontiguousarray(numbers)),
        strides=attrs.strides,
        dilation=attrs.dilation,
        groups=groups,
        data_layout=layout,
        kernel_layout="OIHW",
        out_dtype="int32",
    )
    totals = numbers.astype(np.int64).sum((1, 2, 3))
    return _from_sums(graph, sums, data, weight, totals, layout.index("C") - 4)


def matmul(graph: Graph, call: Any) -> Any:
    from tvm import relax

    shape = known_sides(call.args[0])
    if str(call.ty.dtype) != "float32" or not shape or len(shape) != 2 or shape[0] > ROWS:
        return None
    data = graph.activations(call.args[0])
    weight = graph.weights(call.args[1], -1) if data else None
    if data is None or weight is None or weight.numbers.ndim != 2:
        return None
    sums = relax.op.matmul(data.numbers, relax.const(weight.numbers), out_dtype="int32")
    return _from_sums(graph, sums, data, weight, weight.numbers.astype(np.int64).sum(0), -1)


def _from_sums(
    graph: Graph, sums: Any, data: Quantized, weight: Quantized, totals: np.ndarray, axis: int
) -> Any:
    """float32 results from sums of products: (sums - zero point * totals) * scale."""
    from tvm import relax

    shape = [-1] + [1] * (-1 - axis)  # aligned from the end
    correction = (-data.zero * totals).astype(np.int32).reshape(shape)
    exact = graph.emit(relax.op.add(graph.emit(sums), relax.const(correction)))
    scale = (data.scale * weight.scale).astype(np.float32).reshape(shape)
    return relax.op.multiply(graph.emit(relax.op.astype(exact, "float32")), relax.const(scale))


def bias(graph: Graph, call: Any) -> Any:
    """A quantized bias, added to the sums themselves."""
    from tvm import relax

    product = graph.bound(call.args[0])
    exact = graph.behind(call.args[0], "relax.multiply", "relax.astype")
    if operator(exact) != "relax.add" or str(exact.ty.dtype) != "int32":
        return None
    added, scale = graph.value(call.args[1]), constant(product.args[1])
    correction = constant(exact.args[1])
    if added is None or scale is None or correction is None or added.size != scale.size:
        return None
    if added.shape[-scale.ndim :] != scale.shape:  # not one number for each channel
        return None
    steps = added.astype(np.float64).reshape(scale.shape) / scale
    whole = np.round(steps)
    if np.abs(steps - whole).max() > NEAR or np.abs(whole + correction).max() >= 2**31:
        return None
    both = relax.const((whole + correction).astype(np.int32))
    exact = graph.emit(relax.op.add(exact.args[0], both))
    return relax.op.multiply(graph.emit(relax.op.astype(exact, "float32")), product.args[1])
