"""Named conventions: what a framework's own examples do with pixels before a model sees them."""

from dataclasses import dataclass, replace

from deltann.cell import SOURCE, TARGET
from deltann.images.preprocessing import GRAY, Preprocessing


@dataclass(frozen=True)
class Convention:
    """A channel order and an affine normalisation, without a size.

    Attributes:
        channels: the model's channel order, `RGB` or `BGR`.
        mean: per channel, in the model's order, for values from 0 to 1.
        std: standard deviation, likewise.
        origin: the public function that defines it.
    """

    channels: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    origin: str


BYTE = 255.0  # the largest value of a pixel
# The config's key `preprocessing` takes these names, and so does `input.convention` of a user's
# model. A new entry needs nothing else.
CONVENTIONS = {
    "imagenet": Convention(
        channels="RGB",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        origin="torchvision.models: the transforms of its weights; "
        "keras.applications.imagenet_utils.preprocess_input, mode='torch'",
    ),
    "tensorflow": Convention(
        channels="RGB",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        origin="keras.applications.imagenet_utils.preprocess_input, mode='tf': -1 to 1",
    ),
    "caffe": Convention(
        channels="BGR",
        mean=(103.939 / BYTE, 116.779 / BYTE, 123.68 / BYTE),
        std=(1 / BYTE, 1 / BYTE, 1 / BYTE),
        origin="keras.applications.imagenet_utils.preprocess_input, mode='caffe': 0 to 255 "
        "without the mean",
    ),
    "raw": Convention(
        channels="RGB",
        mean=(0.0, 0.0, 0.0),
        std=(1 / BYTE, 1 / BYTE, 1 / BYTE),
        origin="keras.applications.efficientnet.preprocess_input: 0 to 255, unchanged",
    ),
}
# What `preprocessing` takes in a config: whose preprocessing, or a convention.
PREPROCESSINGS = (SOURCE, TARGET, *CONVENTIONS)


# Among the conventions, what is proposed for a model and is none of them.
PROPOSED = "proposed"


def fits(name: str, preprocessing: Preprocessing) -> bool:
    """Whether a model can be fed by a convention: see `fits_channels`."""
    return fits_channels(name, 1 if preprocessing.channels == GRAY else 3)


def fits_channels(name: str, channels: int) -> bool:
    """Whether a convention is one for so many channels: for gray, it treats all colours alike."""
    convention = CONVENTIONS[name]
    return channels > 1 or len(set(convention.mean)) == len(set(convention.std)) == 1


def apply(name: str, preprocessing: Preprocessing) -> Preprocessing:
    """A model's preprocessing with the pixels of a convention that fits.

    The geometry stays the model's own, and so does gray.
    """
    convention = CONVENTIONS[name]
    if preprocessing.channels == GRAY:
        return replace(preprocessing, mean=convention.mean[:1], std=convention.std[:1])
    return replace(
        preprocessing, channels=convention.channels, mean=convention.mean, std=convention.std
    )


def in_words(name: str) -> str:
    """One of `PREPROCESSINGS` as part of a sentence."""
    return f"the {name} convention" if name in CONVENTIONS else f"the {name}'s preprocessing"
