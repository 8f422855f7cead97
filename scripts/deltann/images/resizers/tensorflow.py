"""tf.image without antialiasing, its default; the float result is rounded to uint8."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize an image: see `deltann.images.resizers.Resizer`."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow

    width, height = size
    resized = tensorflow.image.resize(pixels, (height, width), method=interpolation)
    return np.clip(np.rint(resized.numpy()), 0, 255).astype(np.uint8)
