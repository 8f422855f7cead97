"""One operator of a TFLite file, with its tensors' shapes and constants at hand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltann.formats.tflite_file import ABSENT, TfliteFile
from deltann.steps import AXES

if TYPE_CHECKING:
    import numpy as np

LETTERS = "NHWC"
# Of the schema's ActivationFunctionType.
NONE = 0
FUSED: dict[int, dict[str, Any]] = {
    NONE: {},
    1: {"kind": "clip", "min": 0, "max": None},
    2: {"kind": "clip", "min": -1, "max": 1},
    3: {"kind": "clip", "min": 0, "max": 6},
    4: {"kind": "tanh"},
    5: {"kind": "sign"},
}
# Where an operator's weight is, and the axes of its layout, in the order of `deltann.steps`.
WEIGHTS = {
    "CONV_2D": (0, 3, 1, 2),
    "DEPTHWISE_CONV_2D": (3, 0, 1, 2),
    "TRANSPOSE_CONV": (3, 0, 1, 2),
    "FULLY_CONNECTED": (0, 1),
}
BIASES = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "TRANSPOSE_CONV": 3, "FULLY_CONNECTED": 2}


@dataclass(frozen=True)
class Node:
    """An operator of a file.

    Attributes:
        file: settled.
        operator: the schema's object.
        fixed: the numbers of tensors that don't depend on the image.
    """

    file: TfliteFile
    operator: Any
    fixed: frozenset[int]

    @property
    def native(self) -> str:
        """Its kind, in the schema's words."""
        return self.file.native(self.operator)

    def option(self, name: str, default: Any = 0) -> Any:
        """An option; the default if the file has none at all for the operator."""
        options = self.operator.builtinOptions or self.operator.builtinOptions2
        return default if options is None else getattr(options, name)

    def has(self, place: int) -> bool:
        """Whether it takes a tensor at a place."""
        inputs = self.operator.inputs
        return place < len(inputs) and inputs[place] != ABSENT

    def shape(self, place: int) -> tuple[int, ...]:
        """Of the tensor that it takes at a place."""
        return self.file.shapes[self.operator.inputs[place]]

    @property
    def given(self) -> tuple[int, ...]:
        """The shape of its first output."""
        return self.file.shapes[self.operator.outputs[0]]

    @property
    def rank(self) -> int:
        """The number of dimensions of its first output."""
        return len(self.given)

    def constant(self, place: int) -> "np.ndarray | None":
        """The constant at a place, in real numbers; None if there is none."""
        return self.file.value(self.operator.inputs[place]) if self.has(place) else None

    def whole(self, place: int) -> list[int] | None:
        """The whole numbers of the constant at a place."""
        found = self.constant(place)
        return None if found is None else [int(number) for number in found.reshape(-1)]

    def moving(self) -> list[int]:
        """The places of the tensors that depend on the image."""
        return [
            place
            for place, index in enumerate(self.operator.inputs)
            if index != ABSENT and index not in self.fixed and self.file.stored(index) is None
        ]

    def activation(self) -> dict[str, Any]:
        """The attribute `activation`; nothing if the operator has none."""
        found = FUSED[self.option("fusedActivationFunction")] if self.fuses() else {}
        return {"activation": dict(found)} if found else {}

    def fuses(self) -> bool:
        """Whether the operator can have an activation."""
        options = self.operator.builtinOptions
        return options is not None and "fusedActivationFunction" in vars(options)


def letter(axis: int, rank: int) -> int | str:
    """The name of an axis in `deltann.steps`."""
    axis = axis % rank if rank else axis
    return LETTERS[axis] if rank == 4 else axis


def letters(axes: list[int], rank: int) -> list[int | str]:
    """The names of axes: in the order of `steps.AXES`, or rising."""
    found = {letter(axis, rank) for axis in axes}
    return [axis for axis in (AXES if rank == 4 else range(rank)) if axis in found]


def number(axis: int | str, rank: int) -> int:
    """The place of an axis by its name in `deltann.steps`.

    Raises:
        ValueError: there is no such axis.
    """
    place = LETTERS.index(axis) if isinstance(axis, str) else axis
    if not -rank <= place < rank:
        raise ValueError(f"axis {axis!r} of a tensor with {rank} dimensions")
    return place % rank
