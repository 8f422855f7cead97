"""What Keras's layers and operations have in common, in the words of `deltann.steps`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

LETTERS = {"channels_last": ("N", "H", "W", "C"), "channels_first": ("N", "C", "H", "W")}
# A kind with its attributes and parameters, as of `steps.Operator`.
Said = tuple[str, dict[str, Any], "dict[str, np.ndarray]"]
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Seen:
    """What a call works on.

    Attributes:
        operation: the layer or operation.
        reads: the shapes of the tensors that it reads, with a batch of 1.
        writes: the shape of the first that it gives.
        arguments: what it is called with; None in place of each tensor that isn't constant.
        settings: those by name.
    """

    operation: Any
    reads: tuple[Shape, ...]
    writes: Shape
    arguments: tuple[Any, ...] = ()
    settings: dict[str, Any] | None = None

    @property
    def data_format(self) -> str:
        """Where the channels are."""
        return getattr(self.operation, "data_format", None) or "channels_last"

    def sides(self, shape: Shape) -> list[int]:
        """Height and width of an image."""
        first = 1 if self.data_format == "channels_last" else 2
        return [int(side or 0) for side in shape[first : first + 2]]


def pair(value: Any) -> list[int]:
    """Two numbers, of which one may stand for both."""
    return [int(value)] * 2 if isinstance(value, int) else [int(item) for item in value]


def plain(value: Any) -> "np.ndarray":
    """The numbers of a variable, a tensor or an array."""
    import keras

    return keras.ops.convert_to_numpy(value)


def axes(values: Any, rank: int, data_format: str = "channels_last") -> list[Any]:
    """Axes as the vocabulary says them, sorted; None stands for all."""
    if values is None:
        values = range(rank)
    found = sorted(int(value) % rank for value in _listed(values))
    return [LETTERS[data_format][value] for value in found] if rank == 4 else found


def _listed(values: Any) -> Any:
    return [values] if isinstance(values, int) else values


def operand(value: "np.ndarray") -> "np.ndarray":
    """A constant side of a binary operator: a number or one per channel, if it is so."""
    if value.size == 1:
        return value.reshape(())
    if value.size == value.shape[-1]:
        return value.reshape(-1)
    return value


def reduction(seen: Seen, kind: str, values: Any, keepdims: bool) -> Said:
    """Over some axes."""
    found = axes(values, len(seen.reads[0]), seen.data_format)
    return kind, {"axes": found, "keepdims": bool(keepdims)}, {}


def resize(seen: Seen, size: list[int], interpolation: str, antialias: bool) -> Said:
    """As `tf.image.resize` does."""
    modes = {"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"}
    if interpolation not in modes:
        return "other", {"size": size, "interpolation": interpolation}, {}
    attributes: dict[str, Any] = {
        "size": size,
        "mode": modes[interpolation],
        "coordinates": "half_pixel",
        "antialias": antialias,
    }
    if interpolation == "nearest":
        # floor((i + 0.5) * scale) is (i + 0.5) * scale - 0.5, rounded, and up at a half
        attributes["rounding"] = "round_prefer_ceil"
    return "resize", attributes, {}
