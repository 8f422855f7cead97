"""Which pixels of a photograph a model gets, written as one word, also in paths."""

import re
from dataclasses import dataclass

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
WHOLE = "whole"
PATTERN = (
    rf"(?P<resize>\d+|{WHOLE})-(?P<height>\d+)(x(?P<width>\d+))?-"
    rf"(?P<interpolation>{'|'.join(INTERPOLATIONS)})"
)


@dataclass(frozen=True)
class Geometry:
    """How a photograph becomes a model's input.

    Attributes:
        resize: length of the short side before the centre crop, in pixels; None: the whole image
            is squeezed to the crop's size.
        crop: height and width of the input, in pixels.
        interpolation: one of `INTERPOLATIONS`.
    """

    resize: int | None
    crop: tuple[int, int]
    interpolation: str

    def __str__(self) -> str:
        height, width = self.crop
        size = str(height) if height == width else f"{height}x{width}"
        return f"{self.resize or WHOLE}-{size}-{self.interpolation}"

    @classmethod
    def parse(cls, word: str) -> "Geometry":
        """Read a geometry from a word like `256-224-bicubic` or `whole-32x48-nearest`.

        Raises:
            ValueError: the word has another form.
        """
        match = re.fullmatch(PATTERN, word)
        if not match:
            raise ValueError(f"geometry {word!r}; expected <resize or {WHOLE}>-<crop>-<filter>")
        resize = None if match["resize"] == WHOLE else int(match["resize"])
        height = int(match["height"])
        width = int(match["width"] or height)
        return cls(resize, (height, width), match["interpolation"])
