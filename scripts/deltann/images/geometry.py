"""Which pixels of a photograph a model sees, as one word that names folders too."""

import re
from dataclasses import dataclass

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")
WHOLE = "whole"
PATTERN = rf"(?P<resize>\d+|{WHOLE})-(?P<crop>\d+)-(?P<interpolation>{'|'.join(INTERPOLATIONS)})"


@dataclass(frozen=True)
class Geometry:
    """The short side's length before the centre crop (None: squeezed whole), and the crop's."""

    resize: int | None
    crop: int
    interpolation: str

    def __str__(self) -> str:
        return f"{self.resize or WHOLE}-{self.crop}-{self.interpolation}"

    @classmethod
    def parse(cls, word: str) -> "Geometry":
        """The geometry that a word names.

        Raises:
            ValueError: the word isn't like `256-224-bicubic` or `whole-224-nearest`.
        """
        match = re.fullmatch(PATTERN, word)
        if not match:
            raise ValueError(f"geometry {word!r}; expected <resize or {WHOLE}>-<crop>-<filter>")
        resize = None if match["resize"] == WHOLE else int(match["resize"])
        return cls(resize, int(match["crop"]), match["interpolation"])
