"""Numbers of TFLite's tensors: from their own type to float32 and back.

A whole number q of a quantized tensor stands for (q - zero_point) * scale, with a scale for the
whole tensor or one for each channel.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# Of the schema's TensorType.
NUMBERS = {0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16"}
NUMBERS |= {9: "int8", 10: "float64", 12: "uint64", 15: "uint32", 16: "uint16"}
INT4 = 17
CODES = {name: code for code, name in NUMBERS.items()}
# New scales are taken if they make an error smaller than this share of the old ones'.
BETTER = 0.9


@dataclass(frozen=True)
class Scales:
    """How the whole numbers of a tensor stand for real ones.

    Attributes:
        scale: float32, one number or one for each channel.
        zero_point: int64, as many.
        axis: the channels' axis, of no meaning if there is one scale.
    """

    scale: "np.ndarray"
    zero_point: "np.ndarray"
    axis: int = 0

    def along(self, values: "np.ndarray", rank: int) -> "np.ndarray":
        """Scales or zero points, in a shape that goes with a tensor of this rank."""
        shape = [1] * rank
        if values.size > 1:
            shape[self.axis] = values.size
        return values.reshape(shape if rank else ())


def to_real(values: "np.ndarray", scales: Scales) -> "np.ndarray":
    """The numbers that whole numbers stand for: float32 of the same shape."""
    import numpy as np

    shifted = values.astype(np.float64) - scales.along(scales.zero_point, values.ndim)
    return (shifted * scales.along(scales.scale, values.ndim)).astype(np.float32)


def to_whole(values: "np.ndarray", scales: Scales, dtype: str) -> "np.ndarray":
    """The whole numbers nearest to real ones, within the range of their type."""
    import numpy as np

    limits = np.iinfo(dtype)
    steps = np.asarray(values, np.float64) / scales.along(scales.scale, np.ndim(values))
    found = np.rint(steps) + scales.along(scales.zero_point, np.ndim(values))
    return np.clip(found, limits.min, limits.max).astype(dtype)


def symmetric(values: "np.ndarray", dtype: str, axis: int | None) -> Scales:
    """Scales for the weights of a layer, with zero points of 0.

    Args:
        values: float32.
        dtype: a type of whole numbers.
        axis: of the channels; None for one scale.
    """
    import numpy as np

    others = tuple(place for place in range(values.ndim) if place != axis)
    largest = np.abs(values).max(axis=others if axis is not None else None, initial=0)
    scale = np.atleast_1d(np.where(largest > 0, largest, 1) / np.iinfo(dtype).max)
    return Scales(scale.astype(np.float32), np.zeros(scale.size, np.int64), axis or 0)


def affine(values: "np.ndarray", dtype: str) -> Scales:
    """One scale and zero point for all values; 0 stands for 0."""
    import numpy as np

    limits = np.iinfo(dtype)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale = (high - low) / (int(limits.max) - int(limits.min)) or 1.0
    zero = np.clip(round(limits.min - low / scale), limits.min, limits.max)
    return Scales(np.array([scale], np.float32), np.array([zero], np.int64))


def fitting(values: "np.ndarray", old: Scales, new: Scales, dtype: str) -> Scales:
    """The old scales of a tensor, but new ones where these lose clearly less of the values.

    That is decided for each channel alone if both have scales of their own for the same channels.
    """
    import numpy as np

    single = old.scale.size == 1 or old.scale.size != new.scale.size or old.axis != new.axis
    others = tuple(axis for axis in range(values.ndim) if single or axis != old.axis)
    old_error, new_error = (
        np.abs(to_real(to_whole(values, item, dtype), item) - values).sum(axis=others)
        for item in (old, new)
    )
    better = np.atleast_1d(new_error < BETTER * old_error)
    if not better.any():
        return old
    if single:
        return new
    zero_point = np.where(better, new.zero_point, old.zero_point)
    return Scales(np.where(better, new.scale, old.scale), zero_point, old.axis)


def unpack_int4(data: "np.ndarray", count: int) -> "np.ndarray":
    """The int8 numbers of a buffer that has two in each byte, the lower half first."""
    import numpy as np

    halves = np.stack([data & 15, data >> 4], axis=-1).reshape(-1)[:count].astype(np.int8)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)
