"""Resize-18 of ONNX after its specification, in NumPy.

`onnx.reference` 1.23 takes `align_corners`'s length_resized to be scale * length_original, which is
no whole number if the scale is none.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def resize(
    x: "np.ndarray",
    roi: Any = None,
    scales: Any = None,
    sizes: Any = None,
    mode: str = "nearest",
    **attributes: Any,
) -> "np.ndarray":
    """Resize the last two axes, one after the other, in the type of `x`."""
    for axis in (2, 3):
        before = x.shape[axis]
        if sizes is not None:
            after = int(sizes[axis])
            scale = after / before
        else:
            scale = float(scales[axis])
            after = math.floor(before * scale)
        if scale != 1:
            matrix = _matrix(before, after, scale, mode, **attributes).astype(x.dtype)
            x = _along(x, matrix, axis)
    return x


def _along(x: "np.ndarray", matrix: "np.ndarray", axis: int) -> "np.ndarray":
    import numpy as np

    return np.moveaxis(np.tensordot(x, matrix, ([axis], [1])), -1, axis)


def _matrix(
    before: int,
    after: int,
    scale: float,
    mode: str,
    coordinate_transformation_mode: str = "half_pixel",
    nearest_mode: str = "round_prefer_floor",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
) -> "np.ndarray":
    """How much each number of a row before is part of each after: (after, before)."""
    import numpy as np

    matrix = np.zeros((after, before))
    for place in range(after):
        at = _coordinate(place, before, after, scale, coordinate_transformation_mode)
        if mode == "nearest":
            matrix[place, min(max(_rounded(at, nearest_mode), 0), before - 1)] = 1
            continue
        first = math.floor(at)
        if mode == "linear":
            weights = {first: 1 - (at - first), first + 1: at - first}
        else:
            weights = {n: _cubic(at - n, cubic_coeff_a) for n in range(first - 1, first + 3)}
        if exclude_outside:
            inside = {n: weight for n, weight in weights.items() if 0 <= n < before}
            weights = {n: weight / sum(inside.values()) for n, weight in inside.items()}
        for number, weight in weights.items():
            matrix[place, min(max(number, 0), before - 1)] += weight
    return matrix


def _coordinate(place: int, before: int, after: int, scale: float, mode: str) -> float:
    if mode == "asymmetric":
        return place / scale
    if mode == "align_corners":
        return place * (before - 1) / (after - 1) if after > 1 else 0.0
    if mode == "pytorch_half_pixel" and after == 1:
        return 0.0
    return (place + 0.5) / scale - 0.5


def _rounded(at: float, mode: str) -> int:
    if mode == "floor":
        return math.floor(at)
    if mode == "ceil":
        return math.ceil(at)
    return math.ceil(at - 0.5) if mode == "round_prefer_floor" else math.floor(at + 0.5)


def _cubic(distance: float, a: float) -> float:
    """Keys, Cubic convolution interpolation for digital image processing, 1981."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0
