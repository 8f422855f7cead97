"""The last step before a model: affine normalisation, in the memory layout that it expects."""

import numpy as np

from deltann.errors import StudyError
from deltann.images.preprocessing import Preprocessing


def layout(input_shape: tuple[int, ...], crop: int) -> str:
    """The memory layout of a model's input: `NCHW` or `NHWC`.

    Args:
        input_shape: the four dimensions in the model file's signature, batch first.
        crop: height and width that the study declares for the model.

    Raises:
        ValueError: the shape is neither (1, 3, crop, crop) nor (1, crop, crop, 3).
    """
    if tuple(input_shape) == (1, 3, crop, crop):
        return "NCHW"
    if tuple(input_shape) == (1, crop, crop, 3):
        return "NHWC"
    raise ValueError(
        f"input shape {tuple(input_shape)}; expected (1, 3, {crop}, {crop}) or "
        f"(1, {crop}, {crop}, 3)"
    )


def normalise(pixels: np.ndarray, preprocessing: Preprocessing, order: str) -> np.ndarray:
    """Turn one prepared image into a model's input: (pixels / 255 - mean) / std, in float32.

    Args:
        pixels: uint8 (height, width, 3), RGB.
        preprocessing: the model's channel order, mean and standard deviation.
        order: the memory layout, `NCHW` or `NHWC`.

    Returns:
        float32, contiguous: (1, 3, height, width) or (1, height, width, 3).

    Raises:
        StudyError: the pixels aren't uint8.
    """
    if pixels.dtype != np.uint8:
        raise StudyError(f"pixels are {pixels.dtype}; expected uint8")
    if preprocessing.channels == "BGR":
        pixels = pixels[..., ::-1]
    scaled = pixels.astype(np.float32) / np.float32(255)
    mean = np.asarray(preprocessing.mean, np.float32)
    values = (scaled - mean) / np.asarray(preprocessing.std, np.float32)
    if order == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[np.newaxis])
