"""The graph pass that computes quantized convolutions and matrix products in whole numbers.

A QDQ model has float32 operators between QuantizeLinear and DequantizeLinear. This pass rewrites

    conv2d(dequantize(x), dequantize(w))  as  (conv2d(x, w) + correction) * scale

with x uint8, w int8 and sums of int32. The correction takes x's zero point out of the sums. Where
a result is quantized again, the division by its scale becomes part of constants before it.

The sums are exact, where float32 rounds them. So a number between two steps of the next quantize
may be rounded to the other one: results are the same within one step.
"""

from typing import Any, NamedTuple

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import known_sides, operator, rewrite_calls, sides
from deltann.tvm.passes import GraphPass

# The layouts whose convolutions `pack_layout` packs.
LAYOUTS = {("NCHW", "OIHW"), ("NHWC", "HWIO"), ("NHWC", "HWOI")}
# With more rows, products of matrices stay in float32: no integer kernel is made for them.
ROWS = 3
# int8 is uint8 less this.
SHIFT = 128
# How far from a whole number a bias may be in steps of the sums, which float32 rounded.
NEAR = 0.1
# What a scale of the result may be moved before.
SAME = ("relax.reshape", "relax.mean", "relax.nn.relu", "relax.nn.avg_pool2d")


class Quantized(NamedTuple):
    """A tensor of whole numbers.

    Attributes:
        numbers: a uint8 variable, or an int8 array.
        scale: of one step, one number or one per channel.
        zero: the whole number that means 0.
    """

    numbers: Any
    scale: np.ndarray
    zero: int


def integer_arithmetic() -> GraphPass:
    """Quantized convolutions and products with few rows, of uint8 by int8 with sums of int32.

    It runs before constants are folded, while weights are int8. Convolutions in the branches of an
    `If` stay, for the reason that `pack_layout` states, and so do grouped ones.
    """
    return GraphPass("IntegerArithmetic", lambda module: rewrite_calls(module, _rewrite))


def _rewrite(builder: Any, call: Any) -> Any:
    known = {
        "relax.nn.conv2d": _conv2d,
        "relax.matmul": _matmul,
        "relax.add": _bias,
        "relax.nn.max_pool2d": _max_pool,
        "relax.quantize": _quantize,
        "relax.dequantize": _dequantize,
    }
    rewrite = known.get(operator(call))
    written = rewrite(_Graph(builder), call) if rewrite else None
    return call if written is None else written


class _Graph:
    """The part of a function that is rewritten already."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def emit(self, expression: Any) -> Any:
        """Bind an expression to a new variable."""
        return self.builder.emit(expression)

    def bound(self, expression: Any) -> Any:
        """The expression that a variable is bound to; any other expression itself."""
        from tvm import relax

        while isinstance(expression, relax.Var):
            value = self.builder.lookup_binding(expression)
            if value is None:
                break
            expression = value
        return expression

    def value(self, expression: Any) -> np.ndarray | None:
        """The array that an expression stands for, computed from constants; None for others."""
        expression = self.bound(expression)
        array = constant(expression)
        if array is not None:
            return array
        name = operator(expression)
        if name == "relax.dequantize":
            return self._dequantized(expression)
        if name not in ("relax.reshape", "relax.permute_dims"):
            return None
        array = self.value(expression.args[0])
        if array is None:
            return None
        if name == "relax.reshape":
            return array.reshape(sides(expression))
        axes = expression.attrs.axes
        return array.transpose(None if axes is None else [int(axis) for axis in axes])

    def _dequantized(self, call: Any) -> np.ndarray | None:
        numbers, scale, zero = (constant(self.bound(item)) for item in call.args)
        if numbers is None or scale is None or zero is None:
            return None
        scale, zero = (_along(item, numbers.ndim, int(call.attrs.axis)) for item in (scale, zero))
        return (numbers.astype(np.float64) - zero) * scale.astype(np.float64)

    def activations(self, expression: Any) -> Quantized | None:
        """What a tensor was before dequantize, as uint8; None if it has no scale, or many."""
        call = self.bound(expression)
        if operator(call) != "relax.dequantize" or str(call.attrs.out_dtype) != "float32":
            return None
        scale, zero = (constant(self.bound(item)) for item in call.args[1:])
        if scale is None or zero is None or scale.size != 1 or zero.size != 1:
            return None
        kind = str(call.args[0].ty.dtype)
        if kind not in ("uint8", "int8") or constant(call.args[0]) is not None:
            return None
        shift = SHIFT if kind == "int8" else 0
        numbers = self.unsigned(call.args[0])
        return Quantized(numbers, scale.astype(np.float64).reshape(()), int(zero.item()) + shift)

    def unsigned(self, numbers: Any) -> Any:
        """The uint8 numbers that `signed` made int8; or int8 numbers, shifted."""
        from tvm import relax

        if str(numbers.ty.dtype) == "uint8":
            return numbers
        cast = self.bound(numbers)
        less = self.bound(cast.args[0]) if operator(cast) == "relax.astype" else None
        if operator(less) == "relax.subtract":
            wide = self.bound(less.args[0])
            if operator(wide) == "relax.astype" and str(wide.args[0].ty.dtype) == "uint8":
                return wide.args[0]
        wide = self.emit(relax.op.astype(numbers, "int32"))
        shifted = self.emit(relax.op.add(wide, relax.const(SHIFT, "int32")))
        return self.emit(relax.op.astype(shifted, "uint8"))

    def signed(self, numbers: Any) -> Any:
        """The int8 form of uint8 numbers; nothing may read it, if readers take `unsigned`."""
        from tvm import relax

        wide = self.emit(relax.op.astype(numbers, "int32"))
        less = self.emit(relax.op.subtract(wide, relax.const(SHIFT, "int32")))
        return relax.op.astype(less, "int8")

    def weights(self, expression: Any, axis: int) -> Quantized | None:
        """Weights as int8, with a scale per channel of an axis; None if they aren't 8 bits."""
        call, order = self.bound(expression), None
        if operator(call) == "relax.permute_dims":
            axes = call.attrs.axes
            order = [int(item) for item in axes] if axes else [*range(len(sides(call)))][::-1]
            call = self.bound(call.args[0])
        if operator(call) != "relax.dequantize" or str(call.attrs.out_dtype) != "float32":
            return None
        numbers, scale, zero = (constant(self.bound(item)) for item in call.args)
        if numbers is None or scale is None or zero is None or str(numbers.dtype) not in _BYTES:
            return None
        along = int(call.attrs.axis) % numbers.ndim
        less = numbers.astype(np.int32) - _along(zero, numbers.ndim, along)
        if less.min() < -SHIFT or less.max() >= SHIFT:
            return None
        if order is not None:
            less, along = less.transpose(order), order.index(along)
        if scale.size > 1 and along != axis % numbers.ndim:
            return None
        per_channel = np.broadcast_to(scale.astype(np.float64).reshape(-1), less.shape[axis])
        return Quantized(np.ascontiguousarray(less.astype(np.int8)), per_channel, 0)

    def scaled(self, expression: Any, factor: float) -> Any:
        """A tensor times a number, by other constants where it is made of some."""
        from tvm import relax

        call = self.bound(expression)
        name, operands = operator(call), getattr(call, "args", [])
        if name in SAME:
            inner = self.scaled(operands[0], factor)
            return self.emit(relax.Call(call.op, [inner, *operands[1:]], call.attrs))
        if name == "relax.clip":
            low, high = (float(item.value) * factor for item in operands[1:])
            return self.emit(relax.op.clip(self.scaled(operands[0], factor), low, high))
        if name == "relax.dequantize" and constant(self.bound(operands[1])) is not None:
            scale = constant(self.bound(operands[1])).astype(np.float64) * factor
            scale = relax.const(scale.astype(np.float32))
            return self.emit(relax.Call(call.op, [operands[0], scale, operands[2]], call.attrs))
        if name == "relax.multiply" and constant(operands[1]) is not None:
            scale = constant(operands[1]).astype(np.float64) * factor
            product = relax.op.multiply(operands[0], relax.const(scale.astype(np.float32)))
            return self.emit(product)
        if name == "relax.add":
            return self.emit(relax.op.add(*(self._term(item, factor) for item in operands)))
        return self.emit(relax.op.multiply(expression, relax.const(np.float32(factor))))

    def _term(self, expression: Any, factor: float) -> Any:
        from tvm import relax

        array = self.value(expression)
        if array is None:
            return self.scaled(expression, factor)
        return relax.const((array.astype(np.float64) * factor).astype(np.float32))


_BYTES = ("int8", "uint8")


def _along(values: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """One number, or one for each place of an axis, in a shape that fits a tensor's."""
    if values.size == 1:
        return values.reshape(())
    return values.reshape([-1 if place == axis % rank else 1 for place in range(rank)])


def _conv2d(graph: _Graph, call: Any) -> Any:
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
    if groups > 1 and not (groups == channels == len(numbers) and numbers.shape[1] == 1):
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


def _matmul(graph: _Graph, call: Any) -> Any:
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
    graph: _Graph, sums: Any, data: Quantized, weight: Quantized, totals: np.ndarray, axis: int
) -> Any:
    """float32 results from sums of products: (sums - zero point * totals) * scale."""
    from tvm import relax

    shape = [-1] + [1] * (-1 - axis)  # aligned from the end
    correction = (-data.zero * totals).astype(np.int32).reshape(shape)
    exact = graph.emit(relax.op.add(graph.emit(sums), relax.const(correction)))
    scale = (data.scale * weight.scale).astype(np.float32).reshape(shape)
    return relax.op.multiply(graph.emit(relax.op.astype(exact, "float32")), relax.const(scale))


def _bias(graph: _Graph, call: Any) -> Any:
    """A quantized bias, added to the sums themselves."""
    from tvm import relax

    product = graph.bound(call.args[0])
    cast = graph.bound(product.args[0]) if operator(product) == "relax.multiply" else None
    exact = graph.bound(cast.args[0]) if operator(cast) == "relax.astype" else None
    if operator(exact) != "relax.add" or str(exact.ty.dtype) != "int32":
        return None
    bias, scale = graph.value(call.args[1]), constant(product.args[1])
    correction = constant(exact.args[1])
    if bias is None or scale is None or correction is None or bias.size != scale.size:
        return None
    steps = bias.astype(np.float64).reshape(scale.shape) / scale
    whole = np.round(steps)
    if np.abs(steps - whole).max() > NEAR or np.abs(whole + correction).max() >= 2**31:
        return None
    both = relax.const((whole + correction).astype(np.int32))
    exact = graph.emit(relax.op.add(exact.args[0], both))
    return relax.op.multiply(graph.emit(relax.op.astype(exact, "float32")), product.args[1])


def _max_pool(graph: _Graph, call: Any) -> Any:
    """The maximum of the whole numbers: a scale is positive."""
    from tvm import relax

    data = graph.activations(call.args[0])
    if data is None or any(int(side) for side in call.attrs.padding):
        return None
    pooled = graph.emit(relax.Call(call.op, [data.numbers], call.attrs))
    return _meaning(graph, data._replace(numbers=pooled))


def _meaning(graph: _Graph, data: Quantized) -> Any:
    from tvm import relax

    scale, zero = relax.const(data.scale.astype(np.float32)), relax.const(data.zero, "uint8")
    return relax.op.dequantize(data.numbers, scale, zero, axis=1, out_dtype="float32")


def _quantize(graph: _Graph, call: Any) -> Any:
    """Whole numbers that were quantized with this scale before; or others, without a division."""
    from tvm import relax

    scale, zero = (constant(graph.bound(item)) for item in call.args[1:])
    kind = str(call.attrs.out_dtype)
    if scale is None or zero is None or scale.size != 1 or zero.size != 1 or kind not in _BYTES:
        return None
    if str(call.args[0].ty.dtype) != "float32":
        return None
    zero = int(zero.item()) + (SHIFT if kind == "int8" else 0)
    before = graph.activations(call.args[0])
    if before and np.float32(before.scale) == np.float32(scale.item()) and before.zero == zero:
        numbers = before.numbers
    else:
        one, zero = relax.const(np.float32(1)), relax.const(zero, "uint8")
        steps = graph.scaled(call.args[0], 1 / float(scale.item()))
        numbers = relax.op.quantize(steps, one, zero, axis=1, out_dtype="uint8")
    return numbers if kind == "uint8" else graph.signed(graph.emit(numbers))


def _dequantize(graph: _Graph, call: Any) -> Any:
    """The meaning of int8 numbers from the uint8 ones that they are made of."""
    data = graph.activations(call) if str(call.args[0].ty.dtype) == "int8" else None
    return _meaning(graph, data) if data else None
