"""What a model file says of itself: one module per framework, found by the framework's name.

A module offers `describe`, as `Describer` states it. Importing it imports no foreign package.
"""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

# Sizes that are tried on a file which doesn't say which it takes, the commonest first.
SIZES = (224, 299, 32, 28, 64, 96, 128, 160, 192, 240, 256, 260, 288, 300, 320, 380, 384, 512)
# A side that the file leaves open.
OPEN = 0


@dataclass(frozen=True)
class Description:
    """What a model file says of itself.

    Attributes:
        input_name: of the input that takes the image.
        shape: of that input, batch first; `OPEN` for a side that the file leaves open.
        dtype: of that input, by its name in NumPy.
        outputs: the shape of each output, by the name that `output_name` of a config takes.
        scale, zero_point: of an input of whole numbers, see `tensor_types.TensorType`.
        precision: of the weights, as `float32`; empty if the file doesn't say.
        written_by: who wrote the file, and in which version of the format.
        mean, std: the normalisation that the file asks for, per channel, for values from 0 to 1;
            empty if it doesn't say.
        normalises: the layer by which the model itself normalises pixels from 0 to 255, or empty.
        size_tried: whether the file doesn't say its size, and `shape` has the first that worked.
        signature: of a SavedModel with several, the one that all this is of, or empty.
        other_signatures: its others, with what they take and give.
    """

    input_name: str
    shape: tuple[int, ...]
    dtype: str
    outputs: dict[str, tuple[int, ...]]
    scale: float | None = None
    zero_point: int = 0
    precision: str = ""
    written_by: str = ""
    mean: tuple[float, ...] = field(default=())
    std: tuple[float, ...] = field(default=())
    normalises: str = ""
    size_tried: bool = False
    signature: str = ""
    other_signatures: str = ""

    @classmethod
    def from_json(cls, values: dict) -> "Description":
        """A description from its fields, after JSON made its tuples lists."""
        outputs = {name: tuple(shape) for name, shape in values["outputs"].items()}
        lists = {name: tuple(values[name]) for name in ("shape", "mean", "std")}
        return cls(**values | lists | {"outputs": outputs})


class Describer(Protocol):
    """A module of this package."""

    def describe(self, path: Path) -> Description:
        """Read a model file of a user's, without pickle.

        Args:
            path: the file, or the folder of a SavedModel.

        Raises:
            ValueError: it takes no single image.
            Exception: the framework's own: it can't read the file.
        """
        ...


def get(framework: str) -> Describer:
    """The module of a framework."""
    return cast(Describer, import_module(f"{__name__}.{framework}"))


def only_input(names: list[str]) -> str:
    """The name of a model's only input.

    Raises:
        ValueError: there are several or none.
    """
    if len(names) != 1:
        listed = ", ".join(map(repr, names)) or "none"
        raise ValueError(
            f"the model has {len(names)} inputs: {listed}; expected one, for the image"
        )
    return names[0]


def most_common(sizes: dict[str, int]) -> str:
    """The type that most bytes of a model's weights have, and the others: `int8 and int32`."""
    return " and ".join(sorted(sizes, key=lambda name: -sizes[name])[:2])
