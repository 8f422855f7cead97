"""How a model wants its images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its images, and what its answers are.

    Attributes:
        resize: the short side's length before the centre crop; None: the image is squeezed whole
            to the crop's size.
        crop: height and width of the input.
        interpolation: `nearest`, `bilinear` or `bicubic`.
        channels: `RGB` or `BGR`, the order that the model wants.
        mean: per channel, in the model's order, for values in 0..1.
        std: likewise.
        classes: the number of logits, without the background.
        background: how many outputs precede the first class (1 for models of 1,001 classes).
    """

    resize: int | None
    crop: int
    interpolation: str
    channels: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    classes: int
    background: int
