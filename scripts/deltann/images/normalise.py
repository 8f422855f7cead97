"""The last step before a model: affine normalisation, in the memory layout that it expects."""

import numpy as np

from deltann.errors import StudyError
from deltann.images.preprocessing import GRAY, Preprocessing

# ITU-R BT.601's luma, in 65,536ths, as Pillow's Image.convert("L") computes it: to the last bit.
LUMA = np.array([19595, 38470, 7471], np.uint32)


def layout(input_shape: tuple[int, ...], preprocessing: Preprocessing) -> str:
    """The memory layout of a model's input: `NCHW` or `NHWC`.

    Args:
        input_shape: the four dimensions in the model file's signature, batch first.
        preprocessing: the input that the study declares for the model.

    Raises:
        ValueError: the shape is the declared one in neither layout.
    """
    shapes = {order: preprocessing.input_shape(order) for order in ("NCHW", "NHWC")}
    for order, shape in shapes.items():
        if tuple(input_shape) == shape:
            return order
    raise ValueError(
        f"input shape {tuple(input_shape)}; expected {shapes['NCHW']} or {shapes['NHWC']}"
    )


def normalise(pixels: np.ndarray, preprocessing: Preprocessing, order: str) -> np.ndarray:
    """Turn one prepared image into a model's input: (pixels / 255 - mean) / std, in float32.

    Args:
        pixels: uint8 (height, width, 3), RGB.
        preprocessing: the model's channels, mean and standard deviation.
        order: the memory layout, `NCHW` or `NHWC`.

    Returns:
        float32, contiguous: `preprocessing.input_shape(order)`.

    Raises:
        StudyError: the pixels aren't uint8.
    """
    if pixels.dtype != np.uint8:
        raise StudyError(f"pixels are {pixels.dtype}; expected uint8")
    if preprocessing.channels == "BGR":
        pixels = pixels[..., ::-1]
    elif preprocessing.channels == GRAY:
        luma = (pixels.astype(np.uint32) @ LUMA + 0x8000) >> 16
        pixels = luma.astype(np.uint8)[..., np.newaxis]
    scaled = pixels.astype(np.float32) / np.float32(255)
    mean = np.asarray(preprocessing.mean, np.float32)
    values = (scaled - mean) / np.asarray(preprocessing.std, np.float32)
    if order == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[np.newaxis])
