"""Pillow: filters that widen when they shrink an image, on uint8."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "images"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize uint8 (height, width, 3) to `size` (width, height) by nearest, bilinear or bicubic."""
    import numpy as np
    from PIL import Image

    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, Image.Resampling[interpolation.upper()]), np.uint8)
