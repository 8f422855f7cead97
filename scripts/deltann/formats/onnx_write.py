"""What `deltann.steps` calls an operator, written into a node of an ONNX graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltann.edits import Impossible
from deltann.formats.onnx_draft import Draft
from deltann.steps import AXES

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Site:
    """A node to be written, and what it reads.

    Attributes:
        draft: the model.
        node: `onnx.NodeProto`.
        opset: the version of the operators of its domain.
        shape, dtype: of the first tensor that it reads and that depends on the image.
    """

    draft: Draft
    node: Any
    opset: int
    shape: tuple[int, ...]
    dtype: str

    def become(self, op_type: str) -> None:
        """Make it another operator of ONNX's own domain; attributes and further inputs go."""
        if self.node.op_type != op_type or self.node.domain:
            first = self.node.input[0]
            self.node.op_type, self.node.domain = op_type, ""
            del self.node.attribute[:], self.node.input[:]
            self.node.input.append(first)

    def need_opset(self, version: int, what: str) -> None:
        """Give up below a version of the operators.

        Raises:
            Impossible: it is below.
        """
        if self.opset < version:
            raise Impossible(
                f"{self.node.op_type} has no {what} in opset {self.opset}; it needs {version}"
            )

    def set(self, name: str, value: Any) -> None:
        """Set an attribute by ONNX's name; None removes it."""
        from onnx.helper import make_attribute

        kept = [item for item in self.node.attribute if item.name != name]
        if value is not None:
            kept.append(make_attribute(name, value))
        kept.sort(key=lambda item: item.name)
        kept = [type(item).FromString(item.SerializeToString()) for item in kept]
        del self.node.attribute[:]
        self.node.attribute.extend(kept)

    def has(self, name: str) -> bool:
        """Whether the node has an attribute."""
        return any(item.name == name for item in self.node.attribute)

    def put(self, position: int, name: str) -> None:
        """Have the node read a tensor at a position; an empty name leaves it out."""
        inputs = [*self.node.input, *[""] * (position + 1 - len(self.node.input))]
        inputs[position] = name
        while inputs and not inputs[-1]:
            inputs.pop()
        self.node.input[:] = inputs
        self.draft.changed()

    def give(self, position: int, values: "np.ndarray", name: str) -> None:
        """Have the node read a constant of its own at a position."""
        self.put(position, self.draft.constant(values, f"{self.node.name}_{name}"))

    def whole(self, position: int, values: Sequence[int], name: str) -> None:
        """Have the node read whole numbers at a position."""
        import numpy as np

        self.give(position, np.array(values, np.int64), name)

    def real(self, values: Any) -> "np.ndarray":
        """Numbers in the type of the tensor that the node reads."""
        import numpy as np
        from onnx.helper import np_dtype_to_tensor_dtype, tensor_dtype_to_np_dtype

        try:
            kind = np.dtype(self.dtype)
        except TypeError:  # bfloat16 is no type of NumPy's own
            import ml_dtypes

            kind = np.dtype(getattr(ml_dtypes, self.dtype))
        return np.asarray(values).astype(tensor_dtype_to_np_dtype(np_dtype_to_tensor_dtype(kind)))

    def axis(self, axis: int | str) -> int:
        """The number of an axis."""
        return AXES.index(axis) if isinstance(axis, str) else axis
