"""The packed tensors of a function while a pass rewrites it."""

import math
from typing import Any, NamedTuple

import numpy as np

from deltann.tvm.cpu import moved_channels, packed_operators
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


class Moved(NamedTuple):
    """A tensor whose channels are in packed ones; a reader that needs it packed gathers them.

    Attributes:
        parts: packed tensors of one height and width.
        sources: for each channel, the part and the channel in it; integers of shape (c, 2).
        axis: as in `Packed`.
    """

    parts: tuple
    sources: np.ndarray
    axis: int


class Packing:
    """What handlers of operators share.

    Attributes:
        lanes: float32 numbers in a vector of the target.
        registers: the target's vector registers.
        forms: each plain variable that has a packed form, with that `Packed` or `Moved`.
    """

    def __init__(self, vectors: Vectors, mutator: Any, values: dict) -> None:
        """Start.

        Args:
            vectors: of the target.
            mutator: the `PyExprMutator` that rewrites the function.
            values: of all variables, before any is rewritten.
        """
        self.lanes, self.registers = vectors.lanes, vectors.registers
        self.forms: dict = {}
        self._gathered: dict = {}
        self._unpacked: dict = {}
        self._mutator, self._values = mutator, values

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

    def find(self, expression: Any) -> Packed | None:
        """The packed form of a variable, its channels gathered; None if it has none."""
        form = self.forms.get(expression)
        if not isinstance(form, Moved):
            return form
        if expression not in self._gathered:
            self._gathered[expression] = self.gather(form)
        return self._gathered[expression]

    def gather(self, moved: Moved) -> Packed:
        """A packed tensor of channels that are in others."""
        from tvm import relax

        kernel = moved_channels.kernel(moved.parts, moved.sources)
        function = self._mutator.builder_.add_func(kernel, moved_channels.MOVED)
        n, _, *rest = sides(moved.parts[0])
        shape = [n, self.blocks(len(moved.sources)), *rest]
        kind = relax.TensorType(shape, moved.parts[0].ty.dtype)
        call = relax.call_tir(function, [*moved.parts], kind)
        return Packed(self.emit(call), len(moved.sources), moved.axis)

    def value(self, expression: Any) -> Any:
        """The expression that a variable is bound to; any other expression itself."""
        from tvm import relax

        if isinstance(expression, relax.Var):
            return self._mutator.lookup_binding(expression)
        return expression

    def original(self, expression: Any) -> Any:
        """The expression that a variable was bound to, before any was rewritten."""
        return self._values.get(expression, expression)

    def blocks(self, channels: int) -> int:
        """How many vectors hold these channels."""
        return math.ceil(channels / self.lanes)

    def known_layout(self, call: Any, layout: str) -> bool:
        """Whether an operator returns its input's layout, one that its packed input stands for."""
        if layout not in ("NCHW", "NHWC") or call.attrs.out_layout not in ("", layout):
            return False
        item = self.find(call.args[0])
        return item is None or item.axis == layout.index("C")

    def pack(self, argument: Any, width: int, axis: int) -> Any:
        """An argument in blocks of `width` channels, or of one where it has fewer in all."""
        from tvm import relax

        item = self.find(argument)
        if item:
            return item.variable
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
        item = self.find(variable)
        if item is None:
            return None
        if variable not in self._unpacked:
            self._unpacked[variable] = self.emit(self.unpack(item))
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
