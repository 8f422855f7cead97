"""Checks on the spot: what this project changes in a model leaves its answer to an image as it was.

A difference is a fault of this project (see `deltann.ours`), and stops the job. What can't be run,
before our change or here, can't be checked: the stage's record says so, and why.
"""

from typing import TYPE_CHECKING

from deltann.ours import Fault

if TYPE_CHECKING:
    import numpy as np

SEED = 0
# Why a rewrite of this process could not be checked, by the rewrite.
_unchecked: dict[str, str] = {}


def image(shape: tuple[int, ...], dtype: str, seed: int = SEED) -> "np.ndarray":
    """A test image, always the same.

    Returns:
        An array of this shape and type: normally distributed numbers, or all whole numbers of up to
        eight bits alike.
    """
    import numpy as np

    random, kind = np.random.default_rng(seed), np.dtype(dtype)
    if not np.issubdtype(kind, np.integer):
        return random.standard_normal(shape).astype(kind)
    limits = np.iinfo(kind)
    return random.integers(max(limits.min, -128), min(limits.max, 255), shape, kind, endpoint=True)


def difference(before: "np.ndarray", after: "np.ndarray") -> float:
    """How far an answer is from the one before, as a share of that one's largest absolute value.

    Args:
        before, after: numbers, in the same order in whatever shape.

    Returns:
        0 if all numbers are equal; infinity if there are more or fewer than before, or others of
        them are finite.
    """
    import numpy as np

    one, other = (np.ravel(item).astype(np.float64) for item in (before, after))
    if one.size != other.size:
        return np.inf
    if np.array_equal(one, other, equal_nan=True):
        return 0.0
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return np.inf
    apart = np.abs(one - other)[finite].max()
    return float(apart / np.abs(one[finite]).max()) if np.isfinite(apart) and one.any() else np.inf


def compare(what: str, before: "np.ndarray", after: "np.ndarray", tolerance: float = 0.0) -> None:
    """Check that a rewrite left a model's answer as it was.

    Args:
        what: the rewrite, for the message.
        before, after: the model's answers to the same image.
        tolerance: the largest `difference` that is none.

    Raises:
        Fault: the answers differ.
    """
    apart = difference(before, after)
    if apart > tolerance:
        raise changed(what, apart, tolerance)


def changed(what: str, apart: float, tolerance: float) -> Fault:
    """The fault of a rewrite after which the answer is another one."""
    expected = f"at most {tolerance:.1g}" if tolerance else "the same numbers"
    return Fault(
        what,
        f"changed the model's answer to a test image by {apart:.3g} of its largest value; expected"
        f" {expected}",
    )


def not_checked(what: str, reason: object) -> None:
    """Note, for the log and the stage's record, that a rewrite wasn't checked.

    Args:
        what: the rewrite.
        reason: why, in some words, or the exception in the way.
    """
    text = f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
    _unchecked[what] = text.strip().splitlines()[0][:300]
    print(f"not checked on an image: {what}: {_unchecked[what]}", flush=True)


def details() -> dict[str, dict[str, str]]:
    """What a stage's record says of rewrites that weren't checked: why, by the rewrite."""
    return {"unchecked": dict(_unchecked)} if _unchecked else {}
