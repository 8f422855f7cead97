"""Pillow: with antialiasing, by a filter that widens when the image shrinks; on uint8."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "images"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize an image: see `deltann.images.resizers.Resizer`."""
    import numpy as np
    from PIL import Image

    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, Image.Resampling[interpolation.upper()]), np.uint8)
