"""The graph pass that computes quantized convolutions and matrix products in whole numbers.

A QDQ model has float32 operators between QuantizeLinear and DequantizeLinear. This pass rewrites

    conv2d(dequantize(x), dequantize(w))  as  (conv2d(x, w) + correction) * scale

with x uint8, w int8 and sums of int32. The correction takes x's zero point out of the sums, and
adds the bias. Where a result is quantized again, the division by its scale becomes part of
constants before it.

The sums are exact, where float32 rounds them. So a number halfway between two steps of the next
quantize may become the other one: each result of it is the same within one step.
"""

from typing import Any

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import operator, rewrite_calls, sides
from deltann.tvm.passes import GraphPass
from deltann.tvm.passes.integer_arithmetic import products
from deltann.tvm.passes.integer_arithmetic.graph import BYTES, SHIFT, Graph, Quantized


def integer_arithmetic() -> GraphPass:
    """Quantized convolutions and products with few rows, of uint8 by int8 with sums of int32.

    It runs before constants are folded, while weights are int8. What stays in float32: grouped
    convolutions, but for depthwise ones without dilation; and functions of more than one block,
    such as those with branches, since a block can't read the whole numbers of the one before.
    """
    return GraphPass("IntegerArithmetic", _apply)


def _apply(module: Any) -> Any:
    from tvm import relax

    functions = [item for item in module.functions.values() if isinstance(item, relax.Function)]
    if any(len(function.body.blocks) != 1 for function in functions):
        return module
    return rewrite_calls(module, _rewrite)


def _rewrite(builder: Any, call: Any) -> Any:
    known = {
        "relax.nn.conv2d": products.conv2d,
        "relax.matmul": products.matmul,
        "relax.add": products.bias,
        "relax.nn.max_pool2d": _max_pool,
        "relax.quantize": _quantize,
        "relax.dequantize": _dequantize,
    }
    rewrite = known.get(operator(call) or "")
    written = rewrite(Graph(builder), call) if rewrite else None
    return call if written is None else written


def _max_pool(graph: Graph, call: Any) -> Any:
    """The maximum of the whole numbers. The smallest of them pads, as minus infinity does."""
    from tvm import relax

    data = graph.activations(call.args[0])
    if data is None:
        return None
    pooled = graph.emit(relax.Call(call.op, [data.numbers], call.attrs))
    return _meaning(data._replace(numbers=pooled))


def _meaning(data: Quantized) -> Any:
    """The numbers that whole numbers stand for."""
    from tvm import relax

    scale, zero = relax.const(data.scale.astype(np.float32)), relax.const(data.zero, "uint8")
    return relax.op.dequantize(data.numbers, scale, zero, axis=1, out_dtype="float32")


def _quantize(graph: Graph, call: Any) -> Any:
    """Whole numbers without a division, and int8 as uint8 less 128."""
    scale, zero = (constant(graph.bound(item)) for item in call.args[1:])
    kind = str(call.attrs.out_dtype)
    if scale is None or zero is None or scale.size != 1 or zero.size != 1 or kind not in BYTES:
        return None
    if str(call.args[0].ty.dtype) != "float32" or scale.item() <= 0:
        return None
    shift = SHIFT if kind == "int8" else 0
    numbers = _numbers(graph, call.args[0], np.float32(scale.item()), int(zero.item()) + shift)
    return numbers if kind == "uint8" else graph.signed(graph.emit(numbers))


def _numbers(graph: Graph, expression: Any, scale: np.float32, zero: int) -> Any:
    """A tensor as uint8: as it was before a dequantize of that scale, or quantized."""
    from tvm import relax

    before = graph.activations(expression)
    if before is not None and np.float32(before.scale) == scale and before.zero == zero:
        return before.numbers
    whole = graph.bound(expression)
    if operator(whole) == "relax.concat":
        parts = graph.bound(whole.args[0])
        fields = list(parts.fields) if isinstance(parts, relax.Tuple) else []
        if fields and all(graph.activations(item) is not None for item in fields):
            quantized = [graph.emit(_numbers(graph, item, scale, zero)) for item in fields]
            return relax.op.concat(quantized, axis=int(whole.attrs.axis))
    if operator(whole) == "relax.reshape" and graph.activations(whole.args[0]) is not None:
        numbers = graph.emit(_numbers(graph, whole.args[0], scale, zero))
        return relax.op.reshape(numbers, sides(whole))
    steps = graph.scaled(expression, 1 / float(scale))
    one = relax.const(np.float32(1))
    return relax.op.quantize(steps, one, relax.const(zero, "uint8"), axis=1, out_dtype="uint8")


def _dequantize(graph: Graph, call: Any) -> Any:
    """The numbers that int8 stands for, from the uint8 that it is made of."""
    data = graph.activations(call) if str(call.args[0].ty.dtype) == "int8" else None
    return None if data is None else _meaning(data)
