"""A call of one of Relax's operators, with the constants that it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltann.steps import AXES
from deltann.tvm.expressions import known_sides, operator

if TYPE_CHECKING:
    import numpy as np

KERNEL = "relax.call_tir"


class Unknown(Exception):
    """No word says what an operator does."""


@dataclass(frozen=True)
class Call:
    """A call of an operator, and the constants among what it reads.

    Attributes:
        expression: the Relax expression.
        layout: the letters of a tensor of four dimensions.
        constant: gives an expression's value; None if it depends on the input.
        sizes: shapes of the results, in their order.
    """

    expression: Any
    layout: str
    constant: Callable[[Any], Any]
    sizes: tuple[tuple[int, ...], ...]

    @property
    def attrs(self) -> Any:
        """TVM's attributes."""
        return self.expression.attrs

    @property
    def args(self) -> Any:
        """What the operator is given."""
        return self.expression.args

    def shape(self, at: int = 0) -> tuple[int, ...]:
        """The shape of an argument."""
        return tuple(needed(known_sides(self.args[at])))

    def parameter(self, at: int) -> "np.ndarray":
        """An argument that must be constant."""
        return needed(self.constant(self.args[at]))

    def axis(self, axis: int, rank: int) -> int | str:
        """An axis as `deltann.steps` has it: a letter if there are four."""
        axis = int(axis) % rank
        return self.layout[axis] if rank == len(AXES) else axis

    def to_height_width(self, layout: str, rank: int = 4) -> None:
        """Check that a layout is one of the plain ones."""
        if rank != len(AXES) or sorted(layout) != sorted(AXES):
            raise Unknown


def needed(value: Any) -> Any:
    """The value.

    Raises:
        Unknown: it is None.
    """
    if value is None:
        raise Unknown
    return value


def native(expression: Any) -> str:
    """What TVM calls an operator: `nn.conv2d`, or the name of a kernel."""
    name = operator(expression)
    if name == KERNEL:
        return f"call_tir {expression.args[0].name_hint}"
    return name.removeprefix("relax.") if name else type(expression).__name__


def number(value: Any) -> float | int:
    """A number of TVM's, whichever class it has."""
    while not isinstance(value, int | float):
        value = value.value
    return value
