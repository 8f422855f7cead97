"""The number types of a model's input and output, and float32 numbers written in them."""

from dataclasses import dataclass

import numpy as np

# A pixel of 0 to 255 differs by so much from a whole number at most after normalisation in float32.
ROUNDING = 1e-3


@dataclass(frozen=True)
class TensorType:
    """How a model file stores the numbers of its input or output.

    Attributes:
        dtype: the type's name in NumPy, as `float32`, `float16`, `uint8`, `int8`.
        scale: of whole numbers: the number q stands for (q - zero_point) * scale. None if the file
            declares no scale, so that q stands for q.
        zero_point: the whole number that stands for 0.
    """

    dtype: str = "float32"
    scale: float | None = None
    zero_point: int = 0


FLOAT32 = TensorType()


def whole(dtype: str) -> bool:
    """Whether a type, by its name in NumPy, holds whole numbers."""
    try:
        return np.issubdtype(np.dtype(dtype), np.integer)
    except TypeError:  # a type that NumPy doesn't know
        return False


def encode(values: np.ndarray, kind: TensorType) -> np.ndarray:
    """A model's input in the type that its file takes.

    With a scale q = round(value / scale) + zero_point, limited to the range of the type: ONNX
    QuantizeLinear, TensorFlow Lite's 8-bit quantization specification.

    Args:
        values: float32, normalised.
        kind: the type of the model's input.

    Returns:
        The same shape; `values` themselves for float32.

    Raises:
        ValueError: the type isn't one of real or whole numbers, or it is of whole numbers without
            a scale and the values aren't such numbers.
    """
    if whole(kind.dtype):
        return _whole_numbers(values, kind)
    try:
        real = np.issubdtype(np.dtype(kind.dtype), np.floating)
    except TypeError:
        real = False
    if not real:
        raise ValueError(
            f"the model takes numbers of type {kind.dtype}; expected float32, float16 or float64,"
            " or whole numbers as uint8 and int8: export the model with such an input"
        )
    return values.astype(kind.dtype, copy=False)


def _whole_numbers(values: np.ndarray, kind: TensorType) -> np.ndarray:
    limits = np.iinfo(kind.dtype)
    if kind.scale is not None:
        numbers = np.rint(values.astype(np.float64) / kind.scale) + kind.zero_point
        return np.clip(numbers, limits.min, limits.max).astype(kind.dtype)
    numbers = np.rint(values)
    apart = float(np.abs(values - numbers).max())
    if apart > ROUNDING or numbers.min() < limits.min or numbers.max() > limits.max:
        raise ValueError(
            f"the model takes {kind.dtype}, whole numbers without a scale, but mean and std turn"
            f" the pixels into {values.min():.3g} to {values.max():.3g}; expected whole numbers"
            f" from {limits.min} to {limits.max}: {_HINTS.get(kind.dtype, _HINTS['uint8'])}"
        )
    return numbers.astype(kind.dtype)


_HINTS = {
    "uint8": "convention: raw leaves the pixels as they are, 0 to 255",
    "int8": "a mean of 128/255 and a std of 1/255 for each channel give -128 to 127",
}


def decode(array: np.ndarray, kind: TensorType) -> np.ndarray:
    """A model's output as float32.

    Args:
        array: of any type of real or whole numbers.
        kind: the type of the model's output; only its scale and zero point matter.

    Returns:
        The same shape; `array` itself if it is float32.
    """
    array = np.asarray(array)
    if kind.scale is None:
        return array.astype(np.float32, copy=False)
    numbers = array.astype(np.float64) - kind.zero_point
    return (numbers * kind.scale).astype(np.float32)
