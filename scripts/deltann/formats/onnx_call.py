"""A node of an ONNX graph with all that decides what it computes."""

from typing import TYPE_CHECKING, Any, NamedTuple

from deltann.steps import AXES

if TYPE_CHECKING:
    import numpy as np

    from deltann.formats.onnx_view import View


class Unnamed(Exception):
    """`deltann.steps` has no words for what a node does."""


class Meaning(NamedTuple):
    """A node's kind, attributes and parameters, as in `steps.Operator`."""

    kind: str
    attributes: dict[str, Any]
    parameters: "dict[str, np.ndarray]"


class Call:
    """One node.

    Attributes:
        node: `onnx.NodeProto`.
        op_type, opset: its operator, and the version of the operators of its domain.
        reads: the tensors that it reads and that depend on the image.
        attributes: those that it has, by ONNX's names; texts as `str`.
    """

    def __init__(self, view: "View", number: int) -> None:
        from onnx.helper import get_attribute_value

        self.view, self.node = view, view.nodes[number]
        self.op_type = self.node.op_type
        self.opset = view.opset.get(self.node.domain, view.opset.get("", 1))
        self.reads = view.read(number)
        self.attributes = {
            item.name: _plain(get_attribute_value(item)) for item in self.node.attribute
        }

    def get(self, attribute: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(attribute, default)

    def name(self, position: int) -> str:
        """The tensor at a position of its inputs; empty if there is none."""
        return self.node.input[position] if position < len(self.node.input) else ""

    def depends(self, position: int) -> bool:
        """Whether an input depends on the image."""
        return self.name(position) in self.view.depending

    def constant(self, position: int) -> "np.ndarray | None":
        """A constant input as numbers in the file's type; None if there is no such input.

        Raises:
            Unnamed: the input depends on the image.
        """
        if not self.name(position):
            return None
        values = self.view.constant(self.name(position))
        if values is None:
            raise Unnamed
        return values

    def parameter(self, position: int) -> "np.ndarray":
        """A constant input; in float32 if the file has fewer bits.

        Raises:
            Unnamed: there is none.
        """
        values = self.constant(position)
        if values is None:
            raise Unnamed
        return single(values)

    def numbers(self, position: int) -> list[int] | None:
        """A constant input as whole numbers; None if there is none."""
        values = self.constant(position)
        return None if values is None else [int(value) for value in values.ravel()]

    def either(self, attribute: str, position: int) -> list[int] | None:
        """Whole numbers that older versions have as an attribute, and newer ones as an input."""
        if attribute in self.attributes:
            return [int(value) for value in self.attributes[attribute]]
        return self.numbers(position)

    def shape(self, position: int = 0) -> tuple[int, ...]:
        """The shape of an input."""
        return self.view.shape(self.name(position))

    def output_shape(self, position: int = 0) -> tuple[int, ...]:
        """The shape of an output."""
        return self.view.shape(self.node.output[position])

    def need(self, condition: bool) -> None:
        """Give up unless a condition holds.

        Raises:
            Unnamed: it doesn't.
        """
        if not condition:
            raise Unnamed


def axis_name(axis: int, rank: int) -> int | str:
    """An axis as `deltann.steps` has it: a letter if there are four."""
    axis = axis % rank if rank else axis
    return AXES[axis] if rank == len(AXES) else axis


def single(values: "np.ndarray") -> "np.ndarray":
    """Real numbers of fewer than 32 bits as float32, the others as they are."""
    import numpy as np

    small = values.dtype.kind in "fV" and values.dtype.itemsize < 4
    return values.astype(np.float32) if small else values


def operand(values: "np.ndarray", shape: tuple[int, ...]) -> "np.ndarray":
    """A constant that is combined with a tensor: of shape (), (channels,), or with all axes.

    Args:
        values: as the file has them.
        shape: of the tensor.
    """
    values = single(values)
    if values.size == 1 and values.ndim <= len(shape):
        return values.reshape(())
    full = (1,) * (len(shape) - values.ndim) + values.shape
    if len(full) > len(shape):
        return values
    channel = 1 if len(shape) == len(AXES) else len(shape) - 1
    if all(size == 1 for axis, size in enumerate(full) if axis != channel):
        return values.reshape(-1)
    return values.reshape(full)


def short(value: float) -> float:
    """The shortest number that is the same in float32: 1e-05 for 9.999999747378752e-06."""
    import numpy as np

    return float(str(np.float32(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return short(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
