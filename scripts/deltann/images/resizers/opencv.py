"""OpenCV: without antialiasing; fixed-point arithmetic on uint8."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "opencv"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize an image: see `deltann.images.resizers.Resizer`."""
    import cv2

    modes = {
        "nearest": cv2.INTER_NEAREST,
        "bilinear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC,
    }
    return cv2.resize(pixels, size, interpolation=modes[interpolation])
