"""What an operator is to be, in the words of `deltann.steps`, as an editor reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible
from deltann.steps import AXES, BINARY, Operator

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Words:
    """Kind, attributes and parameters; what was read of them is noted.

    Attributes:
        layout: the letters of a tensor of four dimensions.
    """

    kind: str
    attributes: dict[str, Any]
    parameters: "dict[str, np.ndarray]"
    layout: str = "NHWC"
    taken: set[str] = field(default_factory=set)

    def take(self, name: str, default: Any) -> Any:
        """An attribute."""
        self.taken.add(name)
        return self.attributes.get(name, default)

    def parameter(self, name: str) -> "np.ndarray":
        """A parameter.

        Raises:
            Impossible: there is none of that name.
        """
        self.taken.add(name)
        if name not in self.parameters:
            raise Impossible(f"{self.kind} needs the parameter {name}")
        return self.parameters[name]

    def axis(self, value: Any) -> int:
        """The number of an axis that may be a letter."""
        return self.layout.index(value) if value in AXES else int(value)

    def finish(self) -> None:
        """Check that all was read.

        Raises:
            Impossible: something was not, so that the format can't say it.
        """
        given = {*self.attributes, *self.parameters}
        if self.kind in BINARY and "operand" not in self.parameters:
            given -= {"constant_first"}
        if unread := sorted(given - self.taken):
            raise Impossible(f"{self.kind} has no {' or '.join(unread)} here")


def changed(operator: Operator, attributes: dict[str, Any], parameters: dict) -> Words:
    """An operator with other attributes and parameters."""
    return Words(operator.kind, operator.attributes | attributes, operator.parameters | parameters)


def spread(value: Any, shape: Sequence[int]) -> "np.ndarray":
    """A constant operand in a shape that spreads over a tensor whose channels may come first.

    Args:
        value: numbers of the shape (channels,), or of any other.
        shape: of the tensor, which usually has its channels last.
    """
    import numpy as np

    value = np.asarray(value)
    first = len(shape) == 4 and value.ndim == 1 and shape[1] == value.size != shape[3]
    return value.reshape(-1, 1, 1) if first and value.size > 1 else value
