"""A config entry proposed for a user's model, from what its file says of itself; with reasons."""

from dataclasses import dataclass
from math import prod
from typing import Any

from deltann.errors import StudyError, did_you_mean
from deltann.formats.descriptions import OPEN, Description

# The share of the resized short side that the centre crop keeps, in the recipes of ImageNet models.
CROP_SHARE = 224 / 256
# Smaller inputs are those of small photographs, as CIFAR-10's: nothing is cropped.
CROPPED_FROM = 96
DEFAULT_SIZE = 224
# Models of ImageNet with a class for the background.
WITH_BACKGROUND = 1001
CHANNELS = (1, 3)
# The order of the axes that a framework prefers.
LAYOUTS = {"onnx": "NCHW", "torch": "NCHW", "keras": "NHWC", "tensorflow": "NHWC", "tflite": "NHWC"}


@dataclass(frozen=True)
class Proposed:
    """A value for a key of the config, and why it is proposed."""

    value: Any
    reason: str


def propose(description: Description, source: str, output: str = "") -> dict[str, Proposed]:
    """Propose what a model's entry says, but for the normalisation.

    Args:
        description: of the model's file.
        source: its framework.
        output: the name of the output that has the classes, if the user gave it.

    Returns:
        By key, as `classes` and `input.size`, in the order of the entry.

    Raises:
        StudyError: the file takes no image or gives no classes, or it isn't clear which output
            has them.
    """
    layout, channels = _layout(description, source)
    found = {
        "input.size": _size(description, layout.value),
        "input.layout": layout,
    }
    found |= _resize(found["input.size"].value)
    if description.signature:
        reason = f"it takes images; the others: {description.other_signatures}"
        found["signature"] = Proposed(description.signature, reason)
    return found | _outputs(description, output)


def channels(description: Description, source: str) -> int:
    """How many channels the model takes, 1 or 3."""
    return _layout(description, source)[1]


def nested(found: dict[str, Proposed]) -> dict:
    """Proposed values as the config has them: `{"input": {"size": …}, "classes": …}`."""
    entry: dict = {}
    for key, proposed in found.items():
        *above, last = key.split(".")
        inside = entry
        for name in above:
            inside = inside.setdefault(name, {})
        inside[last] = proposed.value
    return entry


def in_words(shape: tuple[int, ...]) -> str:
    """A shape as people write it, as 1 × 3 × 224 × 224."""
    return " × ".join(str(side or "any") for side in shape) or "of unknown shape"


def _layout(description: Description, source: str) -> tuple[Proposed, int]:
    shape, taken = description.shape, in_words(description.shape)
    if len(shape) != 4:
        raise StudyError(
            f"the model's input {description.input_name!r} is {taken}; expected an image, as"
            " 1 × 3 × 224 × 224 or 1 × 224 × 224 × 3"
        )
    places = {"NCHW": 1, "NHWC": 3}
    preferred = sorted(places, key=lambda name: name != LAYOUTS[source])
    for layout in preferred:
        if shape[places[layout]] in CHANNELS:
            count = shape[places[layout]]
            return Proposed(layout, f"the file takes {taken}"), count
    for layout in preferred:
        if shape[places[layout]] == OPEN:
            reason = f"the file takes {taken}, and {source} models mostly have this order"
            return Proposed(layout, reason), 3
    raise StudyError(
        f"the model's input {description.input_name!r} is {taken}; expected 1 or 3 channels,"
        " second or last"
    )


def _size(description: Description, layout: str) -> Proposed:
    sides = description.shape[2:] if layout == "NCHW" else description.shape[1:3]
    if OPEN in sides:
        given = next((side for side in sides if side), DEFAULT_SIZE)
        sides = tuple(side or given for side in sides)
        reason = f"the file takes any size; {given} is the commonest"
        if given != DEFAULT_SIZE:
            reason = "the file leaves one side open"
    elif description.size_tried:
        reason = "the file doesn't say; the first common size that it ran with"
    else:
        reason = f"the file takes {in_words(description.shape)}"
    height, width = sides
    return Proposed(height if height == width else [height, width], reason)


def _resize(size: int | list[int]) -> dict[str, Proposed]:
    """The short side before the crop; nothing for small and rectangular inputs."""
    if isinstance(size, list) or size < CROPPED_FROM:
        return {}
    reason = "of ImageNet's recipes: the crop keeps 87.5 %; without this line nothing is cropped"
    return {"input.resize": Proposed(round(size / CROP_SHARE), reason)}


def _outputs(description: Description, output: str) -> dict[str, Proposed]:
    """The output, and the number of its classes."""
    usable = {
        name: count for name, shape in description.outputs.items() if (count := _count(shape))
    }
    listed = ", ".join(f"{name!r} ({in_words(s)})" for name, s in description.outputs.items())
    if output and output not in description.outputs:
        raise StudyError(
            f"OUTPUT={output!r} is no output of the model; expected one of {listed}"
            f"{did_you_mean(output, description.outputs)}"
        )
    if output:
        usable = {name: count for name, count in usable.items() if name == output}
    if not usable:
        raise StudyError(
            f"no output of the model has a value for each class: {listed}; expected one of 1 × N,"
            " as a classifier has"
        )
    if len(usable) > 1:
        raise StudyError(
            f"the model has {len(description.outputs)} outputs: {listed}; expected OUTPUT=name, the"
            " name of the one that has a value for each class"
        )
    ((name, count),) = usable.items()
    reason = f"the file gives {in_words(description.outputs[name])}"
    found = {}
    if len(description.outputs) > 1:
        why = "as you said" if output else f"the only one with a value for each class, of {listed}"
        found["output_name"] = Proposed(name, why)
    if count == WITH_BACKGROUND:
        found["classes"] = Proposed(count - 1, f"{reason}: ImageNet's classes and a background")
        found["background"] = Proposed(1, "the first output is that of the background")
    else:
        found["classes"] = Proposed(count, reason)
    return found


def _count(shape: tuple[int, ...]) -> int:
    """How many classes an output has a value for; 0 if it isn't an output of classes."""
    sides = shape[1:]
    if not sides or OPEN in sides or sum(side > 1 for side in sides) != 1:
        return 0
    return prod(sides)
