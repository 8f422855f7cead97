"""The packed tensors of a function while a pass rewrites it."""

import math
from functools import cached_property
from typing import Any, NamedTuple

from deltann.tvm.cpu import packed_operators
from deltann.tvm.cpu.vectors import Vectors
from deltann.tvm.expressions import sides


class Packed(NamedTuple):
    """A tensor in packed form.

    Attributes:
        variable: `relax.Var` of shape (n, channel blocks, height, width, lanes).
        channels: of the plain tensor that it stands for.
        axis: the plain tensor's axis of channels, 1 (NCHW) or 3 (NHWC).
    """

    variable: object
    channels: int
    axis: int


class Packing:
    """What handlers of operators share.

    Attributes:
        lanes: float32 numbers in a vector of the target.
        registers: the target's vector registers.
        tensors: each plain variable that has a packed form, with that form.
    """

    def __init__(self, vectors: Vectors, mutator: Any, module: Any) -> None:
        self.lanes, self.registers = vectors.lanes, vectors.registers
        self._module = module
        self.tensors: dict = {}
        self._unpacked: dict = {}
        self._mutator = mutator

    def emit(self, expression: Any) -> Any:
        """Bind an expression to a new variable."""
        return self._mutator.builder_.emit(expression)

    def packed(self, expression: Any, channels: int, axis: int) -> Packed:
        """A packed result, bound to a variable."""
        from tvm import relax

        is_bound = isinstance(expression, relax.Var)
        return Packed(expression if is_bound else self.emit(expression), channels, axis)

    def call_te(self, function: Any, *arguments: Any, **settings: Any) -> Any:
        """A call of a kernel that a `te` function describes."""
        return self._mutator.builder_.call_te(function, *arguments, **settings)

    def visit(self, expression: Any) -> Any:
        """An expression as rewritten so far."""
        return self._mutator.visit_expr(expression)

    def value(self, expression: Any) -> Any:
        """The expression that a variable is bound to; any other expression itself."""
        from tvm import relax

        if isinstance(expression, relax.Var):
            return self._mutator.lookup_binding(expression)
        return expression

    @cached_property
    def _originals(self) -> dict:
        from tvm import relax

        functions = [item for item in self._module.functions.values()]
        bindings = [
            relax.analysis.get_var2val(item)
            for item in functions
            if isinstance(item, relax.Function)
        ]
        return {variable: value for found in bindings for variable, value in found.items()}

    def original(self, expression: Any) -> Any:
        """What a variable is bound to in the function before this pass; None if it isn't."""
        return self._originals.get(expression)

    def blocks(self, channels: int) -> int:
        """How many vectors hold these channels."""
        return math.ceil(channels / self.lanes)

    def known_layout(self, call: Any, layout: str) -> bool:
        """Whether an operator returns its input's layout, one that its packed input stands for."""
        if layout not in ("NCHW", "NHWC") or call.attrs.out_layout not in ("", layout):
            return False
        item = self.tensors.get(call.args[0])
        return item is None or item.axis == layout.index("C")

    def pack(self, argument: Any, width: int, axis: int) -> Any:
        """An argument in blocks of `width` channels, or of one where it has fewer in all."""
        from tvm import relax

        if argument in self.tensors:
            return self.tensors[argument].variable
        plain = self.visit(argument)
        if width < self.lanes:  # the numbers already are in this order
            n, *shape = sides(argument)
            blocks = [1, *shape] if axis == 3 else [*shape, 1]
            return self.emit(relax.op.reshape(plain, [n, *blocks]))
        return self.emit(self.call_te(packed_operators.pack, plain, width, axis))

    def unpack(self, item: Packed) -> Any:
        """The call that unpacks a tensor."""
        return self.call_te(packed_operators.unpack, *item)

    def plain(self, variable: Any) -> Any:
        """A packed variable unpacked, once for all its readers; None for a plain variable."""
        if variable not in self.tensors:
            return None
        if variable not in self._unpacked:
            self._unpacked[variable] = self.emit(self.unpack(self.tensors[variable]))
        return self._unpacked[variable]

    def arrange(self, weight: Any, padded: list[int], shape: list[int], order: list[int]) -> Any:
        """A weight padded with zeros to `padded`, reshaped to `shape`, transposed to `order`."""
        from tvm import relax

        pairs = zip(sides(weight), padded, strict=True)
        width = [end for side, whole in pairs for end in (0, whole - side)]
        if any(width):
            weight = self.emit(relax.op.nn.pad(weight, width))
        weight = self.emit(relax.op.reshape(weight, shape))
        moved = order != sorted(order)
        return self.emit(relax.op.permute_dims(weight, order)) if moved else weight
