"""Checks of arguments; each error names the argument, its value and what was expected."""

from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_array(name: str, values: ArrayLike, ndim: int, kinds: str, expected: str) -> NDArray:
    array = np.asarray(values)
    if array.dtype.kind not in kinds:
        raise ValueError(f"{name}: dtype {array.dtype}, expected {expected}")
    if array.ndim != ndim or array.size == 0:
        raise ValueError(
            f"{name}: shape {array.shape}, expected {ndim} dimension{'s' * (ndim > 1)}, none empty"
        )
    return array


def as_labels(name: str, values: ArrayLike, ndim: int, lowest: int = 0) -> NDArray[np.int64]:
    # Float labels are refused even if whole: they come from NaN put where a cell has no answer.
    array = as_array(name, values, ndim, "iu", "integers").astype(np.int64)
    if array.min() < lowest:
        raise ValueError(f"{name}: holds {array.min()}, expected labels of at least {lowest}")
    return array


def as_ranked(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = as_labels(name, values, ndim=2)
    ordered = np.sort(array, axis=1)
    repeats = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if repeats.any():
        image = int(repeats.argmax())
        raise ValueError(
            f"{name}: {array[image].tolist()} at image {image}, expected no label twice"
        )
    return array


def matches(ranked_a: ArrayLike, ranked_b: ArrayLike) -> NDArray[np.bool_]:
    """``[image, i, j]``: whether rank i of a and rank j of b hold the same label."""
    a = as_ranked("ranked_a", ranked_a)
    b = as_ranked("ranked_b", ranked_b)
    same_shape("ranked_a", a, "ranked_b", b)
    return a[:, :, np.newaxis] == b[:, np.newaxis, :]


def as_finite(name: str, values: ArrayLike, ndim: int) -> NDArray[np.float64]:
    array = as_array(name, values, ndim, "iuf", "real numbers").astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}: {array[where]} at {where}, expected finite numbers")
    return array


def as_seconds(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = as_finite(name, values, ndim=2)
    if array.min() <= 0:
        raise ValueError(f"{name}: holds {array.min()} s, expected positive times")
    return array


def same_shape(name_a: str, a: NDArray, name_b: str, b: NDArray) -> None:
    if a.shape != b.shape:
        raise ValueError(f"{name_b}: shape {b.shape}, expected {a.shape} as {name_a}")


def as_integer(name: str, value: int, low: int, high: int | None = None) -> int:
    expected = f"an integer of at least {low}" if high is None else f"an integer, {low} to {high}"
    try:
        number = index(value)
    except TypeError:
        raise ValueError(f"{name}: {value!r}, expected {expected}") from None
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name}: {number}, expected {expected}")
    return number


def as_open_unit(name: str, value: float) -> float:
    # Written so that NaN fails too.
    if not 0 < value < 1:
        raise ValueError(f"{name}: {value!r}, expected a number above 0 and below 1")
    return float(value)
