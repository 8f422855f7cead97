"""Say in words how two arrays of parameters differ."""

from typing import NamedTuple

import numpy as np

from deltann.localise.finding import Family

# Parameters are the same up to this share of the largest one: folding a batch norm costs as much.
SAME = 2e-6


class Words(NamedTuple):
    """How two arrays differ: the family, and the end of the sentence `dense's bias …`."""

    family: Family
    text: str


def close(source: np.ndarray, target: np.ndarray) -> bool:
    """Whether two arrays of the same shape hold the same numbers up to rounding."""
    scale = float(np.abs(source).max(initial=0))
    return source.shape == target.shape and bool(
        np.abs(source - target).max(initial=0) <= SAME * max(scale, 1e-30)
    )


def differ(source: np.ndarray | None, target: np.ndarray | None) -> Words | None:
    """How the target's parameter differs from the source's; None if it doesn't.

    Args:
        source, target: float64, in the layout of `deltann.steps`; None if there is none.
    """
    if source is None or target is None:
        return _missing(source, target)
    if source.shape != target.shape:
        return _reshaped(source, target)
    if close(source, target):
        return None
    if np.array_equal(source.astype(np.float16).astype(np.float32), target.astype(np.float32)):
        return Words(Family.PARAMETERS, "is rounded to float16")
    return _moved(source, target) or _scaled(source, target) or _numbers(source, target)


def _missing(source: np.ndarray | None, target: np.ndarray | None) -> Words | None:
    if source is None:
        extra = target is not None and bool(np.abs(target).max(initial=0) > 0)
        return Words(Family.PARAMETERS, "is there, but not in the source") if extra else None
    return Words(Family.PARAMETERS, "is missing") if np.abs(source).max(initial=0) > 0 else None


def _reshaped(source: np.ndarray, target: np.ndarray) -> Words | None:
    if source.size == target.size and close(source.ravel(), target.ravel()):
        return None
    if source.size == 1 or target.size == 1:
        wide = np.broadcast_to(
            source if source.size == 1 else target, (max(source.size, target.size),)
        )
        if close(wide, np.ravel(target if source.size == 1 else source)):
            return None
    if source.ndim == 2 and close(source.T.copy(), target):
        return Words(Family.LAYOUT, "is transposed")
    return Words(Family.PARAMETERS, f"has the shape {target.shape}, not {source.shape}")


def _moved(source: np.ndarray, target: np.ndarray) -> Words | None:
    """The same numbers in other places."""
    if not close(np.sort(source, axis=None), np.sort(target, axis=None)):
        return None
    if source.ndim == 2 and source.shape[0] == source.shape[1] and close(source.T, target):
        return Words(Family.LAYOUT, "is transposed")
    if source.ndim == 4 and source.shape[2] == source.shape[3]:
        if close(source.swapaxes(2, 3), target):
            return Words(Family.LAYOUT, "has height and width swapped")
    for axis in range(min(source.ndim, 2)):
        words = _permuted(np.moveaxis(source, axis, 0), np.moveaxis(target, axis, 0), axis)
        if words:
            return words
    return Words(Family.LAYOUT, "has the same numbers in another order")


def _permuted(source: np.ndarray, target: np.ndarray, axis: int) -> Words | None:
    """Slices along the first axis in another order."""
    one = source.reshape(len(source), -1)
    other = target.reshape(len(target), -1)
    unlike = [number for number in range(len(one)) if not close(one[number], other[number])]
    left = list(unlike)
    for number in unlike:
        found = next((item for item in left if close(one[item], other[number])), None)
        if found is None:
            return None
        left.remove(found)
    what = ("output", "input")[axis] + " channels"
    if len(unlike) == 2:
        return Words(Family.PARAMETERS, f"has the {what} {unlike[0]} and {unlike[1]} swapped")
    return Words(Family.LAYOUT, f"has {len(unlike)} of {len(one)} {what} in another order")


def _scaled(source: np.ndarray, target: np.ndarray) -> Words | None:
    norm = float(np.vdot(source, source))
    factor = float(np.vdot(source, target)) / norm if norm else 0.0
    if factor and close(source * factor, target):
        return Words(Family.PARAMETERS, f"is multiplied by {factor:.4g}")
    if source.ndim < 2:
        return None
    rows, others = source.reshape(len(source), -1), target.reshape(len(source), -1)
    norms = np.einsum("ij,ij->i", rows, rows)
    factors = np.divide(np.einsum("ij,ij->i", rows, others), norms, where=norms > 0, out=norms * 0)
    if close(rows * factors[:, None], others):
        low, high = factors.min(), factors.max()
        return Words(
            Family.PARAMETERS,
            f"has each output channel multiplied by another number, {low:.4g} to {high:.4g}",
        )
    return None


def _numbers(source: np.ndarray, target: np.ndarray) -> Words:
    scale = float(np.abs(source).max(initial=0)) or 1.0
    apart = np.abs(source - target)
    count = int((apart > SAME * scale).sum())
    return Words(
        Family.PARAMETERS,
        f"differs in {count} of {source.size} numbers, by up to {apart.max() / scale:.2g} of the"
        " largest",
    )
