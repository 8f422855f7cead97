"""How far a model's answers are from those that it should give, and when that is no difference."""

from dataclasses import asdict, dataclass

import numpy as np

from deltann import spot_check


@dataclass(frozen=True)
class Judgement:
    """Answers compared with those that they should be.

    Attributes:
        images: how many.
        labels: on how many of them the label is another.
        difference: of the logits, largest over the images, as a share of an image's largest logit.
        regressions: on how many images the answer agreed before, and doesn't any more.
    """

    images: int
    labels: int
    difference: float
    regressions: int = 0

    def within(self, tolerance: float) -> bool:
        """Whether the answers are the same, but for rounding."""
        return not self.labels and not self.regressions and self.difference <= tolerance

    def better_than(self, other: "Judgement | None") -> bool:
        """Whether it has fewer other labels, or as many and logits clearly nearer."""
        if other is None:
            return True
        nearer = self.difference < 0.5 * other.difference
        return self.labels < other.labels or (self.labels == other.labels and nearer)

    def facts(self) -> dict:
        """For the page and its JSON; an infinite difference becomes None."""
        finite = np.isfinite(self.difference)
        return asdict(self) | {"difference": float(self.difference) if finite else None}


def differences(expected: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Of each image, the largest difference of a logit as a share of the largest expected logit.

    Args:
        expected, given: logits (image, class).
    """
    pairs = zip(expected, given, strict=True)
    return np.array([spot_check.difference(one, other) for one, other in pairs])


def labels(answers: np.ndarray) -> np.ndarray:
    """The label of each image: int64 (image,)."""
    return np.argmax(answers, axis=1)


def judge(
    expected: np.ndarray,
    given: np.ndarray,
    before: np.ndarray | None = None,
    tolerance: float = 0.0,
) -> Judgement:
    """Compare answers.

    Args:
        expected, given: logits (image, class).
        before: of the model before its repair, to count regressions.
        tolerance: up to which logits count as the same.
    """
    if expected.shape != given.shape:
        return Judgement(len(expected), len(expected), float("inf"))
    far, moved = differences(expected, given), labels(expected) != labels(given)
    lost = np.zeros(len(expected), bool)
    if before is not None and before.shape == expected.shape:
        agreed = (labels(expected) == labels(before)) & moved
        was_near = differences(expected, before) <= tolerance
        lost = agreed | (was_near & (far > tolerance))
    return Judgement(len(expected), int(moved.sum()), float(far.max(initial=0)), int(lost.sum()))
