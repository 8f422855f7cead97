"""Which signature of a SavedModel takes the images: the config's `signature` names it."""

from collections.abc import Mapping
from dataclasses import dataclass

from deltann.errors import did_you_mean

SERVING = "serving_default"
# How the types of real and whole numbers begin, by their names in TensorFlow.
NUMBERS = ("float", "bfloat", "int", "uint")
WANTED = "one input of numbers, as float32 any × 224 × 224 × 3, and a batch of 1 or any"


@dataclass(frozen=True)
class Tensor:
    """An input or output.

    Attributes:
        dtype: by its name in TensorFlow, as `float32` or `string`.
        shape: None for a side that the file leaves open, or in place of a shape of unknown rank.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    def numbers(self) -> bool:
        """Whether it holds real or whole numbers."""
        return self.dtype.startswith(NUMBERS)

    def sides(self) -> list[str]:
        """The shape as people write it, a word for each side."""
        if self.shape is None:
            return ["of unknown shape"]
        return [str(side or "any") for side in self.shape]

    def __str__(self) -> str:
        sides = " × ".join(self.sides())
        return f"{self.dtype} {sides}" if sides else f"one {self.dtype}"


@dataclass(frozen=True)
class Signature:
    """What a signature takes and gives, by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def takes_images(self) -> bool:
        """Whether it can be fed an image: see `WANTED`."""
        if len(self.inputs) != 1:
            return False
        (taken,) = self.inputs.values()
        shape = (None,) * 4 if taken.shape is None else taken.shape
        return taken.numbers() and len(shape) == 4 and shape[0] in (None, 1)

    def answers(self) -> dict[str, list[str]]:
        """The sides of each output of numbers; another can't have a value for each class."""
        return {name: item.sides() for name, item in self.outputs.items() if item.numbers()}

    def __str__(self) -> str:
        return f"takes {_listed(self.inputs)}; gives {_listed(self.outputs)}"


def choose(signatures: Mapping[str, Signature], described: dict) -> str:
    """The name of the signature that takes the images.

    Args:
        signatures: of the SavedModel, by name.
        described: the model's entry in the config.

    Returns:
        `signature` of the entry; without it, the only signature, or `SERVING` if it takes images.

    Raises:
        ValueError: it isn't clear which one, no signature has that name, or it takes no images.
    """
    key = f"config key models.{described['name']}.signature"
    listed = in_words(signatures)
    count = f"{len(signatures)} signature" + ("" if len(signatures) == 1 else "s")
    fitting = [name for name, item in signatures.items() if item.takes_images()]
    if "signature" in described:
        name = described["signature"]
        if name not in signatures:
            raise ValueError(
                f"{key}: the model has no signature {name!r}; expected one of its {count}:"
                f" {listed}{did_you_mean(name, signatures)}"
            )
        if name not in fitting:
            others = in_words({other: signatures[other] for other in fitting}) or "none has it"
            raise ValueError(
                f"{key}: {name!r} {signatures[name]}; expected a signature with {WANTED}: {others}"
            )
        return name
    if not fitting:
        raise ValueError(f"config key models.{described['name']}.file: {none(signatures)}")
    if len(signatures) == 1 or SERVING in fitting:
        return SERVING if SERVING in fitting else fitting[0]
    raise ValueError(
        f"{key} is missing, and the model has {count}: {listed}; expected the name of the one that"
        " takes images"
    )


def none(signatures: Mapping[str, Signature]) -> str:
    """The sentence on a SavedModel without a signature that takes images."""
    if not signatures:
        return (
            "the SavedModel has no signature; expected one that takes images: save it with"
            " tf.saved_model.save(model, folder, signatures=function)"
        )
    return (
        f"no signature of the SavedModel takes images: {in_words(signatures)}; expected"
        f" a signature with {WANTED}: the study decodes and resizes the photographs itself"
    )


def proposed(signatures: Mapping[str, Signature]) -> str:
    """The signature that a config is proposed for: `SERVING`, or that with the fewest outputs.

    Raises:
        ValueError: none takes images.
    """
    fitting = [name for name, item in signatures.items() if item.takes_images()]
    if not fitting:
        raise ValueError(none(signatures))
    return min(fitting, key=lambda name: (name != SERVING, len(signatures[name].outputs), name))


def in_words(signatures: Mapping[str, Signature]) -> str:
    """Each signature with what it takes and gives."""
    return ", ".join(f"{name!r} ({item})" for name, item in signatures.items())


def _listed(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name!r}, {item}" for name, item in tensors.items()) or "nothing"
