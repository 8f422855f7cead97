"""Whether an answer is right: as near to the reference as rounding explains.

For a case, with r the reference in float64 and |·| the largest absolute number:

    error      |answer - r| / |r|
    floor      the largest of |s - r| / |r|, where s is the source's own answer in float32;
               |m - r| / |r|, where m is the reference for an input that is one unit in the last
               place of float32 away; and 2 ** -23
    tolerance  `FLOORS` * floor for float32
               `HALVES` * (h + 2 ** -11) for float16, where h is |r16 - r| / |r| and r16 the
               reference for an input that is rounded to float16
               `EIGHTS` * (q + 1 / 255) for 8 bits, where q is |r8 - r| / |r| and r8 the reference
               for an input that is rounded to 256 steps: weights are rounded about as much, and the
               output to one step, of 1/255 of its range at most twice |r|
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RIGHT, WRONG = "right", "wrong"
FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
FLOORS, HALVES, EIGHTS = 64, 8, 4
EPSILON = 2.0**-23


@dataclass(frozen=True)
class Verdict:
    """What an answer is.

    Attributes:
        status: `RIGHT` or `WRONG`.
        error: relative to the reference's largest number; infinite for another shape, or for other
            numbers that aren't finite.
        tolerance: the largest error that is right.
        note: what is special about it: another shape, channels last.
    """

    status: str
    error: float
    tolerance: float
    note: str = ""


def judge(
    answer: "np.ndarray", expected: dict[str, "np.ndarray"], precision: str, moves: bool
) -> Verdict:
    """Compare an answer with a case's reference.

    Args:
        answer: of any shape.
        expected: `reference`, `single`, `moved`, `half` and `rounded`: see `tasks.build`.
        precision: what the route computes in: `FLOAT32`, `FLOAT16` or `INT8`.
        moves: whether the route may give images with their channels last (or first), as converters
            from a channels-first framework to a channels-last one do.
    """
    import numpy as np

    reference = np.asarray(expected["reference"], np.float64)
    limit = tolerance(expected, precision)
    orders = {"": tuple(range(reference.ndim))}
    if moves and reference.ndim > 2:
        orders["channels last"] = (0, *range(2, reference.ndim), 1)
        orders["channels first"] = (0, reference.ndim - 1, *range(1, reference.ndim - 1))
    found = [
        Verdict(RIGHT if error <= limit else WRONG, error, limit, note)
        for note, order in orders.items()
        if (error := difference(reference.transpose(order), answer)) is not None
    ]
    if found:
        return min(found, key=lambda verdict: verdict.error)
    shapes = f"shape {list(answer.shape)}, not {list(reference.shape)}"
    return Verdict(WRONG, np.inf, limit, shapes)


def tolerance(expected: dict[str, "np.ndarray"], precision: str) -> float:
    """The largest error that is right: see above."""
    reference = expected["reference"]
    floor = max(EPSILON, *(_error(reference, expected[name]) for name in ("single", "moved")))
    if precision == FLOAT16:
        return HALVES * (_error(reference, expected["half"]) + 2.0**-11) + floor
    if precision == INT8:
        return EIGHTS * (_error(reference, expected["rounded"]) + 1 / 255)
    return FLOORS * floor


def difference(reference: "np.ndarray", answer: "np.ndarray") -> float | None:
    """The error of an answer; None if it has another shape, sides of 1 not counted."""
    one, other = (tuple(side for side in item.shape if side != 1) for item in (reference, answer))
    return _error(reference, answer.reshape(reference.shape)) if one == other else None


def _error(reference: "np.ndarray", answer: "np.ndarray") -> float:
    import numpy as np

    one, other = (np.asarray(item, np.float64) for item in (reference, answer))
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return np.inf
    if not finite.any() or np.array_equal(one[finite], other[finite]):
        return 0.0
    apart = np.abs(one - other)[finite].max()
    scale = np.abs(one[finite]).max()
    return float(apart / scale) if np.isfinite(apart) and scale else np.inf
