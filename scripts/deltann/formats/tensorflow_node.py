"""A node of a frozen TensorFlow graph, and what is known of the tensors it reads and writes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LETTERS = ("N", "H", "W", "C")
# A kind with its attributes and parameters, as of `steps.Operator`.
Said = tuple[str, dict[str, Any], "dict[str, np.ndarray]"]
Shape = tuple[int | None, ...] | None


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        definition: its `NodeDef`.
        reads: the shapes of the tensors that it reads.
        constants: those of them that don't depend on the model's input, by place.
        writes: the shape of its first output.
    """

    definition: Any
    reads: tuple[Shape, ...]
    constants: "dict[int, np.ndarray]"
    writes: Shape

    @property
    def op(self) -> str:
        """TensorFlow's name of the kind."""
        return self.definition.op

    @property
    def channels_first(self) -> bool:
        """Whether `data_format` says so."""
        return self.text("data_format", "NHWC") == "NCHW"

    def text(self, name: str, default: str = "") -> str:
        """An attribute that is text."""
        return self.definition.attr[name].s.decode() if self.has(name) else default

    def has(self, name: str) -> bool:
        """Whether the definition has an attribute."""
        return name in self.definition.attr

    def flag(self, name: str) -> bool:
        """An attribute that is true or false."""
        return self.definition.attr[name].b

    def number(self, name: str) -> float:
        """An attribute that is a number."""
        value = self.definition.attr[name]
        return value.f if value.WhichOneof("value") == "f" else value.i

    def spatial(self, name: str) -> list[int]:
        """Of an attribute with a number for each of four axes, those of height and width."""
        return self.image_sides(self.definition.attr[name].list.i) or [1, 1]

    def image_sides(self, values: Any) -> list[int]:
        """Height's and width's of four values."""
        first = 2 if self.channels_first else 1
        return [int(value or 0) for value in values][first : first + 2]

    def axes(self, values: Any) -> list[Any]:
        """Axes of the first moving input, sorted, as the vocabulary says them."""
        rank = len(self.main() or ())
        found = sorted(int(value) % rank if rank else int(value) for value in values)
        return [LETTERS[value] for value in found] if rank == 4 else found

    def unsure(self, shape: Shape) -> bool:
        """Whether an image's shape isn't known as well as its padding needs."""
        return shape is None or (self.text("padding") == "SAME" and None in shape[1:])

    def main(self) -> Shape:
        """The shape of the first input that isn't constant."""
        return next(shape for i, shape in enumerate(self.reads) if i not in self.constants)


def other(node: Node) -> Said:
    """What no word says; small constants are told as `constant<place>`."""
    small = {
        f"constant{place}": value.tolist()
        for place, value in node.constants.items()
        if value.size <= 16 and value.dtype.kind in "iufb"
    }
    return "other", small, {}


def operand(node: Node, value: "np.ndarray") -> "np.ndarray":
    """A constant side of a binary operator: a number or one per channel, if it is so."""
    import numpy as np

    array = np.asarray(value)
    if array.size == 1:
        return array.reshape(())
    if array.ndim and array.size == array.shape[-1]:
        return array.reshape(-1)
    return array
