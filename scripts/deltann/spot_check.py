"""Checks on the spot: what this project changes in a model leaves its answer to an image as it was.

A difference is a fault of this project (see `deltann.ours`), and stops the job. What can't be run,
before our change or here, can't be checked: the stage's record says so, and why.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from deltann.ours import Fault
from deltann.tolerance import TOLERANCE

if TYPE_CHECKING:
    import numpy as np

SEED = 0
# A model that amplifies rounding more than others has a larger tolerance: so many times what its
# answer moves when each pixel is changed by up to this share. Also one that rounds to few values
# inside, of which another may be the nearest. And some answer differently from call to call: Keras
# exports RandomFlip so that it flips. So many calls of such a model are unlikely to agree.
MOVEMENTS, NOISE, CALLS = 10, 1e-5, 12
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


def compare(
    what: str,
    before: "np.ndarray",
    after: "np.ndarray",
    tolerance: float = 0.0,
    rounding: "Callable[[], float] | None" = None,
) -> None:
    """Check that a rewrite left a model's answer as it was.

    Args:
        what: the rewrite, for the message.
        before, after: the model's answers to the same image.
        tolerance: the largest `difference` that is none.
        rounding: gives the tolerance for a model that amplifies rounding, of `sensitivity`; called
            only if the answers differ by more than `tolerance`.

    Raises:
        Fault: the answers differ.
    """
    apart = difference(before, after)
    if apart > tolerance and rounding:
        tolerance = max(tolerance, rounding())
    if apart > tolerance:
        raise changed(what, apart, tolerance)


def compare_models(
    what: str,
    before: "Callable[[np.ndarray], np.ndarray]",
    after: "Callable[[np.ndarray], np.ndarray]",
    test_image: "np.ndarray",
) -> None:
    """Check that a rewrite left a model's answer to an image as it was, but for rounding.

    Args:
        what: the rewrite, for the message.
        before, after: the model, from an image to the answer. If the one before raises, nothing is
            checked, see `not_checked`: it is no matter of the rewrite.
        test_image: the image, as of `image`.

    Raises:
        Fault: the answers differ, or the model doesn't run any more.
    """
    try:
        expected = before(test_image)
    except Exception as error:  # of any class: it is a matter of the model before
        not_checked(what, error)
        return
    try:
        given = after(test_image)
    except Exception as error:
        happened = f"broke the model, which ran before: {type(error).__name__}: {error}"
        raise Fault(what, happened) from error
    compare(what, expected, given, TOLERANCE, partial(sensitivity, before, test_image, expected))


def sensitivity(
    model: "Callable[[np.ndarray], np.ndarray]",
    test_image: "np.ndarray",
    answer: "np.ndarray",
    noise: float = NOISE,
    calls: int = CALLS,
) -> float:
    """How far rounding, or chance, may move a model's answer: see `MOVEMENTS`.

    Args:
        model: the model before a rewrite, from an image to the answer.
        test_image: the image.
        answer: the answer to it.
        noise: the share by which pixels are changed; whole numbers are changed by up to 1.
        calls: how many times the model is asked again about the same image.
    """
    import numpy as np

    random = np.random.default_rng(SEED + 1)
    moved = test_image.astype(np.float64)
    if np.issubdtype(test_image.dtype, np.integer):
        limits = np.iinfo(test_image.dtype)
        moved = np.clip(moved + random.integers(-1, 2, moved.shape), limits.min, limits.max)
    else:
        moved *= 1 + noise * random.uniform(-1, 1, moved.shape)
    images = [moved.astype(test_image.dtype), *[test_image] * calls]
    return MOVEMENTS * max(difference(answer, model(item)) for item in images)


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
