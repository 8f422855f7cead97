"""What the integer pass reads in a function, and the expressions that it makes of scales."""

from typing import Any, NamedTuple

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import operator, sides

BYTES = ("int8", "uint8")
# int8 is uint8 less this.
SHIFT = 128
# Operators that a factor of their result can be moved before.
LINEAR = ("relax.reshape", "relax.mean", "relax.nn.relu", "relax.nn.avg_pool2d")


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


class Graph:
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

    def behind(self, expression: Any, *names: str) -> Any:
        """What the first operand of the last of these operators is bound to, each of the next.

        Returns:
            None if they aren't what the expression is made of.
        """
        call = self.bound(expression)
        for name in names:
            if operator(call) != name:
                return None
            call = self.bound(call.args[0])
        return call

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
        scale, zero = (along(item, numbers.ndim, int(call.attrs.axis)) for item in (scale, zero))
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
        wide = self.behind(numbers, "relax.astype", "relax.subtract")
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
        if numbers is None or scale is None or zero is None or str(numbers.dtype) not in BYTES:
            return None
        channel = int(call.attrs.axis) % numbers.ndim
        less = numbers.astype(np.int32) - along(zero, numbers.ndim, channel)
        if less.min() < -SHIFT or less.max() >= SHIFT:
            return None
        if order is not None:
            less, channel = less.transpose(order), order.index(channel)
        if scale.size > 1 and channel != axis % numbers.ndim:
            return None
        per_channel = np.broadcast_to(scale.astype(np.float64).reshape(-1), less.shape[axis])
        return Quantized(np.ascontiguousarray(less.astype(np.int8)), per_channel, 0)

    def scaled(self, expression: Any, factor: float) -> Any:
        """A tensor times a number, by other constants where it is made of some."""
        from tvm import relax

        call = self.bound(expression)
        name = operator(call)
        if name is None:
            return self.times(expression, factor)
        operands = call.args
        if name in LINEAR:
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
        return self.times(expression, factor)

    def times(self, expression: Any, factor: float) -> Any:
        """A product with a number."""
        from tvm import relax

        return self.emit(relax.op.multiply(expression, relax.const(np.float32(factor))))

    def _term(self, expression: Any, factor: float) -> Any:
        from tvm import relax

        array = self.value(expression)
        if array is None:
            return self.scaled(expression, factor)
        return relax.const((array.astype(np.float64) * factor).astype(np.float32))


def along(values: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """One number, or one for each place of an axis, in a shape that fits a tensor's."""
    if values.size == 1:
        return values.reshape(())
    return values.reshape([-1 if place == axis % rank else 1 for place in range(rank)])
