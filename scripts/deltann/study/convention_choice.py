"""Which convention a user's model was trained with: what its file and its answers say."""

from dataclasses import dataclass
from math import comb

from deltann.formats.descriptions import Description
from deltann.images import conventions
from deltann.images.conventions import CONVENTIONS, PROPOSED
from deltann.images.preprocessing import GRAY
from deltann.study.proposal import Proposed

UNIT = (0.0, 1.0)  # mean and standard deviation that leave values from 0 to 1
# Values from 0 to 1 that differ by a quarter of a pixel's step are the same: with 127.5 in place of
# 128 every second pixel of a quantized input is another one.
SAME = 0.25 / conventions.BYTE
# A calibration's range for three channels that a convention treats differently: relative to it.
ROUNDING = 0.02
# A file's own words are overruled by labels only if chance would rarely do the same.
CHANCE = 0.05
LIMITS = {"uint8": (0, 255), "int8": (-128, 127)}
# The convention of most models of a framework.
USUAL = {
    "torch": ("imagenet", "models from PyTorch mostly use it"),
    "onnx": ("imagenet", "models from PyTorch mostly use it, and most ONNX files come from there"),
    "keras": ("tensorflow", "models from Keras mostly use it"),
    "tensorflow": ("tensorflow", "models from TensorFlow mostly use it"),
    "tflite": ("tensorflow", "models from TensorFlow mostly use it"),
}
# The same by a word in the name of the tool that wrote the file.
WRITERS = {
    "tf2onnx": USUAL["tensorflow"],
    "keras": USUAL["keras"],
    "caffe": ("caffe", "models from Caffe mostly use it"),
}


@dataclass(frozen=True)
class Prior:
    """What is proposed before any image is seen.

    Attributes:
        mean, std: per channel, for values from 0 to 1.
        convention: its name, or empty.
        reason: why.
        stated: whether the file itself says so.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    convention: str
    reason: str
    stated: bool

    @property
    def name(self) -> str:
        """The convention, or the name of what is none."""
        return self.convention or PROPOSED

    @property
    def words(self) -> str:
        """The convention, or what the values of pixels become: `0 to 1`."""
        if self.convention:
            return self.convention
        pairs = sorted(set(zip(self.mean, self.std, strict=True)))
        return ", ".join(f"{(0 - mean) / std:.4g} to {(1 - mean) / std:.4g}" for mean, std in pairs)


def prior(description: Description, source: str, channels: int) -> Prior:
    """What the file says of its normalisation; else what is usual for where it comes from.

    Args:
        description: of the model's file.
        source: its framework.
        channels: how many it takes, 1 or 3.
    """
    whole = description.dtype in LIMITS
    # metadata's numbers are those of the model in float32, before it was quantized
    if description.mean and description.std and not (whole and description.scale):
        reason = "the file's metadata say so"
        return _named(description.mean, description.std, channels, reason, True)
    if whole:
        return _of_whole_numbers(description, channels)
    if description.normalises:
        reason = f"the model normalises pixels itself, by its layer {description.normalises}"
        return _of("raw", channels, reason, True)
    if channels == 1:
        reason = "values from 0 to 1 are usual for one channel; the file doesn't say"
        return _named(UNIT[:1], UNIT[1:], channels, reason, False)
    name, reason = USUAL[source]
    for word, (of_writer, why) in WRITERS.items():
        if word in description.written_by.lower():
            name, reason = of_writer, why
    return _of(name, channels, f"{reason}; the file doesn't say", False)


def _of_whole_numbers(description: Description, channels: int) -> Prior:
    """The normalisation whose values are those that an input of whole numbers stands for.

    Then the pixels stay as they are, which Coral's and TensorFlow's own examples do with such a
    file. A convention that treats channels differently is recognised by its range.
    """
    low, high = LIMITS[description.dtype]
    scale = 1.0 if description.scale is None else description.scale
    first, last = ((number - description.zero_point) * scale for number in (low, high))
    width = last - first
    reason = f"the file's {description.dtype} input stands for {first:.4g} to {last:.4g}"
    for name, convention in CONVENTIONS.items():
        pairs = list(zip(convention.mean, convention.std, strict=True))
        ends = min(-mean / std for mean, std in pairs), max((1 - mean) / std for mean, std in pairs)
        apart = max(abs(ends[0] - first), abs(ends[1] - last))
        near = SAME if conventions.fits_channels(name, 1) else ROUNDING
        if apart <= near * width and conventions.fits_channels(name, channels):
            return _of(name, channels, reason, True)
    reason = f"{reason}: the pixels stay as they are"
    return _named((-first / width,), (1 / width,), channels, reason, True)


def _of(name: str, channels: int, reason: str, stated: bool) -> Prior:
    convention = CONVENTIONS[name]
    mean, std = convention.mean[:channels], convention.std[:channels]
    return Prior(mean, std, name, reason, stated)


def _named(
    mean: tuple[float, ...], std: tuple[float, ...], channels: int, reason: str, stated: bool
) -> Prior:
    """A normalisation under its convention's name, if it is one's."""
    means, stds = (
        tuple(values) * channels if len(values) == 1 else tuple(values) for values in (mean, std)
    )
    for name, convention in CONVENTIONS.items():
        known = (*convention.mean[:channels], *convention.std[:channels])
        near = all(abs(a - b) <= SAME for a, b in zip((*means, *stds), known, strict=True))
        # files state means in the order of RGB
        if near and convention.channels == "RGB" and conventions.fits_channels(name, channels):
            return _of(name, channels, reason, stated)
    return Prior(means, stds, "", reason, stated)


def as_input(found: Prior, channels: int) -> dict[str, Proposed]:
    """The keys of a config for a normalisation: its convention, or channels, mean and std."""
    if found.convention and channels > 1:
        return {"input.convention": Proposed(found.convention, found.reason)}
    return {
        "input.channels": Proposed(
            GRAY if channels == 1 else "RGB",
            "the file takes one channel" if channels == 1 else "the usual order of three channels",
        ),
        "input.mean": Proposed(list(found.mean), found.reason),
        "input.std": Proposed(list(found.std), "belongs to mean"),
    }


def right(trial: dict, name: str) -> list[bool]:
    """For each labelled image, whether the model is right in a convention."""
    pairs = zip(trial["true_labels"], trial["labels"][name], strict=True)
    return [label == true for true, label in pairs if true >= 0]


def decide(found: Prior, trial: dict, channels: int) -> Prior:
    """The convention by which most labels come right; the one proposed before if labels don't say.

    Args:
        found: what was proposed before.
        trial: what `stages.try_conventions.work` returned.
        channels: how many the model takes.
    """
    labelled = len(right(trial, found.name)) if found.name in trial["labels"] else 0
    counts = {name: sum(right(trial, name)) for name in trial["labels"]}
    if not labelled or not any(counts.values()):
        return found
    best = max(counts, key=lambda name: (counts[name], name == found.name))
    if best == found.name:
        ties = [name for name in counts if name != best and counts[name] == counts[best]]
        tied = f", and as often with {' and '.join(ties)}; {found.reason}" if ties else ""
        reason = f"the model is right on {counts[best]} of {labelled} labelled images{tied}"
        if found.stated and not ties:
            reason = f"{found.reason}, and {reason}"
        return Prior(found.mean, found.std, found.convention, reason, found.stated)
    if found.stated and _chance(right(trial, best), right(trial, found.name)) > CHANCE:
        return found
    reason = (
        f"the model is right on {counts[best]} of {labelled} labelled images;"
        f" with {found.words}, {counts[found.name]}"
    )
    return _of(best, channels, reason, found.stated)


def _chance(better: list[bool], worse: list[bool]) -> float:
    """How likely chance makes one so much better: the one-sided sign test.

    Args:
        better, worse: whether each is right, by image.
    """
    wins = sum(a and not b for a, b in zip(better, worse, strict=True))
    losses = sum(b and not a for a, b in zip(better, worse, strict=True))
    count = wins + losses
    return sum(comb(count, k) for k in range(wins, count + 1)) / 2**count


def lines(trial: dict, chosen: Prior) -> list[str]:
    """The conventions beside each other: how often the model is right, or what labels they change.

    Args:
        trial: what `stages.try_conventions.work` returned.
        chosen: what is proposed in the end.
    """
    images = len(trial["true_labels"])
    names = sorted(trial["labels"], key=lambda name: (-sum(right(trial, name)), name))
    words = {name: chosen.words if name == chosen.name else name for name in names}
    width = max(map(len, words.values()), default=0)
    text = []
    for name in names:
        answers, facts = right(trial, name), []
        if answers:
            facts.append(f"right on {sum(answers)} of {len(answers)} labelled images")
        if name != chosen.name:
            pairs = zip(trial["labels"][name], trial["labels"][chosen.name], strict=True)
            changed = sum(a != b for a, b in pairs)
            facts.append(f"another label than {chosen.words} on {changed} of {images}")
        mark = "  <- proposed" if name == chosen.name else ""
        text.append(f"  {words[name]:{width}}  {', '.join(facts)}{mark}".rstrip())
    text += [f"  {name}: {reason}" for name, reason in trial["refused"].items()]
    return text


def warning(trial: dict, chosen: Prior) -> str:
    """A sentence on a model that answers the same for all images, as without its weights; or empty.

    Args:
        trial, chosen: as for `lines`.
    """
    labels = trial["labels"].get(chosen.name, [])
    if len(labels) < 2 or len(set(labels)) > 1:
        return ""
    return (
        f"Careful: the model answers class {labels[0]} for each of the {len(labels)} images. Does"
        " the file have its trained weights, and is the normalisation right?"
    )
