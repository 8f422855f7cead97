"""The precision of the convolutions and matrix products of a Relax module."""

import string
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from deltann.precision import BFLOAT16, BYTES, FLOAT16, FLOAT32, WORDS, of_operator
from deltann.tvm.compat import constant
from deltann.tvm.cpu import integer_operators, packed_schedules
from deltann.tvm.expressions import operator
from deltann.tvm.rounded import rounded_to

if TYPE_CHECKING:
    import numpy as np

_CONVOLUTIONS = [f"relax.nn.conv{n}d{end}" for n in (1, 2, 3) for end in ("", "_transpose")]
# The operators whose first two operands are multiplied and summed.
PRODUCTS = (*_CONVOLUTIONS, "relax.matmul", "relax.nn.attention", "relax.nn.attention_bias")
# Our kernels for them: the packed ones, and the one for GPUs.
KERNELS = (*packed_schedules.PACKED, "conv2d")
# Operators and kernels whose first operand's numbers are the result's.
SAME = {f"relax.{name}" for name in ("permute_dims", "reshape", "expand_dims", "squeeze", "flip")}
SAME |= {f"relax.{name}" for name in ("strided_slice", "split", "concat", "broadcast_to", "tile")}
SAME |= {f"relax.{name}" for name in ("flatten", "nn.batch_flatten", "nn.pad", "nn.max_pool2d")}
SAME_KERNELS = ("pack", "unpack", "pad", "tile", "flip", "max_pool2d")
MAXIMUM_DEPTH = 64


class Operand(NamedTuple):
    """What an operand of a product is rounded to.

    Attributes:
        kind: the type, as NumPy names it.
        dynamic: whether its scale is found at run time.
        fixed: whether it is a constant.
    """

    kind: str
    dynamic: bool = False
    fixed: bool = False


def operators(module: Any, kinds: Iterable[str] = ()) -> dict[str, int]:
    """How many convolutions and matrix products of a module compute in each precision.

    Args:
        module: a `tvm.IRModule` whose convolutions and matrix products are still operators of
            Relax, or kernels of `PackLayout`, `PackOperators` or `GatherConvolutions`.
        kinds: the types that float32 constants may be rounded to, of `stored`: for a module whose
            weights `FoldConstant` made float32.

    Returns:
        Their number by their precision, of `deltann.precision`.
    """
    from tvm import relax

    counts: Counter[str] = Counter()
    for function in module.functions.values():
        if not isinstance(function, relax.Function):
            continue
        trace = _Trace(relax.analysis.get_var2val(function), tuple(kinds))
        for operands in _products(function):
            counts[trace.precision(*operands)] += 1
    return dict(sorted(counts.items()))


def in_integers(kernels: Iterable[str]) -> list[str]:
    """The names of the kernels that multiply and add whole numbers, sorted."""
    kinds = integer_operators.CONV2D, integer_operators.DEPTHWISE, integer_operators.DENSE
    return sorted(name for name in kernels if any(kind in name for kind in kinds))


def stored(module: Any) -> set[str]:
    """The types narrower than float32 that a module has constants of."""
    from tvm import relax

    found = set()

    def visit(expression: Any) -> None:
        value = constant(expression)
        if value is not None:
            found.add(str(value.dtype))

    for function in module.functions.values():
        if isinstance(function, relax.Function):
            relax.analysis.post_order_visit(function, visit)
    return found & {*BYTES, FLOAT16, BFLOAT16}


def _products(function: Any) -> list[list]:
    """The two operands of each convolution and matrix product of a function."""
    from tvm import relax

    found = []

    def visit(expression: Any) -> None:
        name = operator(expression)
        if name in PRODUCTS:
            found.append(list(expression.args[:2]))
        elif _kernel(expression) in KERNELS:
            found.append(list(expression.args[1].fields[:2]))

    relax.analysis.post_order_visit(function, visit)
    return found


def _kernel(expression: Any) -> str:
    """The name of the kernel that an expression calls, without its number; empty if none."""
    if operator(expression) != "relax.call_tir":
        return ""
    return expression.args[0].name_hint.rstrip(string.digits)


class _Trace:
    """Follows operands of a function to what they are rounded to."""

    def __init__(self, values: Any, kinds: tuple[str, ...]) -> None:
        self.values, self.kinds = values, kinds

    def precision(self, first: Any, second: Any) -> str:
        """The precision of a product; constants are its weights."""
        activations, weights = self.operand(first), self.operand(second)
        if activations.fixed and not weights.fixed:
            activations, weights = weights, activations
        return of_operator(activations.kind, weights.kind, activations.dynamic)

    def operand(self, expression: Any) -> Operand:
        """What an operand of a product is rounded to."""
        dynamic = False
        for _ in range(MAXIMUM_DEPTH):
            expression = self.value(expression)
            value = constant(expression)
            if value is not None:
                return Operand(self.constant_kind(value), dynamic, fixed=True)
            dynamic = dynamic or self.is_dynamic(expression)
            before = self.before(expression)
            if before is None:
                break
            expression = before
        return Operand(_kind(expression), dynamic)

    def value(self, expression: Any) -> Any:
        """What a variable is bound to, or an element of a tuple."""
        from tvm import relax

        for _ in range(MAXIMUM_DEPTH):
            if isinstance(expression, relax.Var) and expression in self.values:
                expression = self.values[expression]
            elif isinstance(expression, relax.TupleGetItem):
                whole = self.value(expression.tuple_value)
                if not isinstance(whole, relax.Tuple):
                    return whole
                expression = whole.fields[expression.index]
            else:
                break
        return expression

    def is_dynamic(self, expression: Any) -> bool:
        """Whether an expression quantizes by a scale that isn't a constant."""
        if operator(expression) not in ("relax.quantize", "relax.dequantize"):
            return False
        return not self.is_fixed(expression.args[1])

    def is_fixed(self, expression: Any) -> bool:
        """Whether an expression depends on constants only."""
        from tvm import ir, relax

        expression = self.value(expression)
        if isinstance(expression, ir.Call):
            return all(self.is_fixed(item) for item in expression.args)
        return not isinstance(expression, relax.Var)

    def before(self, expression: Any) -> Any:
        """The tensor that an expression has its numbers from; None if it computes them."""
        name = operator(expression)
        if name in SAME:
            return self._first(expression.args[0])
        if _kernel(expression) in SAME_KERNELS:
            return expression.args[1].fields[0]
        if name == "relax.dequantize" or (name == "relax.astype" and _widens(expression)):
            return expression.args[0]
        # MatMulInteger subtracts the zero point from numbers that are int32 before
        if name == "relax.subtract" and _kind(expression) == "int32":
            return expression.args[0]
        return None

    def _first(self, expression: Any) -> Any:
        """A tensor, or the first of a tuple: those that are joined have one precision."""
        from tvm import relax

        expression = self.value(expression)
        return expression.fields[0] if isinstance(expression, relax.Tuple) else expression

    def constant_kind(self, value: "np.ndarray") -> str:
        """The type that a constant is rounded to."""
        kind = str(value.dtype)
        return rounded_to(value, self.kinds) if kind == FLOAT32 else kind


def _kind(expression: Any) -> str:
    """The type of a tensor's elements; that of a tuple's first."""
    from tvm import relax

    kind = expression.ty
    while isinstance(kind, relax.TupleType):
        kind = kind.fields[0]
    return str(kind.dtype)


def _widens(cast: Any) -> bool:
    """Whether a cast leaves each number as it is."""
    bits = {FLOAT16: 11, BFLOAT16: 8, FLOAT32: 24, "int32": 31, "int64": 63, "float64": 53}
    bits |= dict.fromkeys(BYTES, 8) | dict.fromkeys(WORDS, 16)
    before, after = _kind(cast.args[0]), _kind(cast)
    return bits.get(before, 99) <= bits.get(after, 0)
