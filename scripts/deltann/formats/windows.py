"""Arithmetic of windows and pixels for formats that have fewer words for them than others."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def behind(sides: list[int], kernel: list[int], strides: list[int], pads: list[int]) -> list[int]:
    """What the last windows reach beyond the padding, at the bottom and on the right.

    For a pooling that rounds the number of windows up.

    Args:
        sides: the image's height and width.
        pads: top, left, bottom, right.
    """
    found = []
    for axis, side in enumerate(sides):
        size = side + pads[axis] + pads[axis + 2]
        windows = -(-(size - kernel[axis]) // strides[axis]) + 1
        if (windows - 1) * strides[axis] >= side + pads[axis]:
            windows -= 1  # it would begin behind the image
        found.append(max((windows - 1) * strides[axis] + kernel[axis] - size, 0))
    return found


def shares(
    sides: list[int],
    kernel: list[int],
    strides: list[int],
    pads: list[int],
    beyond: list[int],
    counted: bool,
) -> "np.ndarray":
    """By what an average over whole windows is to be multiplied, to be one over some pixels.

    Args:
        sides, kernel, strides, pads: as of `behind`.
        beyond: what it gives; never a part of the average.
        counted: whether the padding is a part of it.

    Returns:
        float64 (y, x).
    """
    import numpy as np

    counts = []
    for axis, side in enumerate(sides):
        before, after = pads[axis], pads[axis + 2]
        mask = np.full(before + side + after, 1.0 if counted else 0.0)
        mask[before : before + side] = 1
        mask = np.concatenate([mask, np.zeros(beyond[axis])])
        starts = range(0, mask.size - kernel[axis] + 1, strides[axis])
        counts.append(np.array([mask[start : start + kernel[axis]].sum() for start in starts]))
    return kernel[0] * kernel[1] / np.outer(*counts)


def nearest(old: int, new: int, coordinates: str, rounding: str) -> "np.ndarray":
    """The pixels of one side that a resize to the nearest one takes.

    Args:
        old, new: the side before and after.
        coordinates, rounding: as of `steps`.

    Returns:
        int32 (new,).
    """
    import numpy as np

    places = np.arange(new, dtype=np.float64)
    if coordinates == "align_corners":
        places *= (old - 1) / max(new - 1, 1)
    elif coordinates == "asymmetric":
        places *= old / new
    elif coordinates == "pytorch_half_pixel" and new == 1:
        places *= 0
    else:
        places = (places + 0.5) * old / new - 0.5
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "floor": np.floor,
        "ceil": np.ceil,
        "round_prefer_floor": lambda place: np.ceil(place - 0.5),
        "round_prefer_ceil": lambda place: np.floor(place + 0.5),
    }
    return np.clip(ways[rounding](places), 0, old - 1).astype(np.int32)
