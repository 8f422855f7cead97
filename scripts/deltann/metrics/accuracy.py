"""How often a cell is right, and how that changes between two cells."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from deltann.metrics.arguments import as_integer, as_labels, as_ranked, same_shape

UNKNOWN_LABEL = -1
"""The true label of an image that has none."""


class Accuracy(NamedTuple):
    """``percent`` of the ``n`` images with a known true label; NaN if there are none."""

    percent: float
    correct: int
    n: int


class AccuracyChange(NamedTuple):
    """Images whose answer turned wrong or right between two cells, of ``n`` with a true label."""

    correct_to_wrong: int
    wrong_to_correct: int
    n: int
    p_value: float


def top_k_accuracy(ranked: ArrayLike, true_labels: ArrayLike, k: int) -> Accuracy:
    """Percent of images whose true label is among the first k ranked ones.

    ranked: integers ``(image, rank)``; true_labels: integers ``(image,)``, -1 where unknown (such
    images don't count); k: 1 to the number of ranks. Without any known label ``percent`` is NaN.

    Source: the top-k error of ILSVRC (Russakovsky et al., IJCV 115, 2015), as its complement.
    """
    correct = _correct("ranked", ranked, true_labels, k)
    n = correct.size
    hits = int(correct.sum())
    return Accuracy(100.0 * hits / n if n else float("nan"), hits, n)


def accuracy_change(top1_a: ArrayLike, top1_b: ArrayLike, true_labels: ArrayLike) -> AccuracyChange:
    """How many top-1 answers turn wrong, and right, from cell a to cell b, on the same images.

    top1_a, top1_b: integers ``(image,)``; true_labels: integers ``(image,)``, -1 where unknown.
    ``p_value`` is that of McNemar's exact two-sided test: the probability of a split at least this
    uneven if an image is equally likely to turn wrong and right. It is 1 where none changed.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions
    or percentages", Psychometrika 12 (1947), with the binomial distribution instead of the
    chi-squared approximation.
    """
    a = as_labels("top1_a", top1_a, ndim=1)
    b = as_labels("top1_b", top1_b, ndim=1)
    same_shape("top1_a", a, "top1_b", b)
    return _accuracy_change(
        _correct("top1_a", a[:, np.newaxis], true_labels, 1),
        _correct("top1_b", b[:, np.newaxis], true_labels, 1),
    )


def top_k_accuracy_change(
    ranked_a: ArrayLike, ranked_b: ArrayLike, true_labels: ArrayLike, k: int
) -> AccuracyChange:
    """As ``accuracy_change``, for answers that are correct if the first k hold the true label.

    ranked_a, ranked_b: integers ``(image, rank)``, each with at least k ranks.
    """
    correct_a = _correct("ranked_a", ranked_a, true_labels, k)
    correct_b = _correct("ranked_b", ranked_b, true_labels, k)
    return _accuracy_change(correct_a, correct_b)


def _accuracy_change(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> AccuracyChange:
    worse = int((correct_a & ~correct_b).sum())
    better = int((correct_b & ~correct_a).sum())
    changed = worse + better
    p_value = float(stats.binomtest(worse, changed, 0.5).pvalue) if changed else 1.0
    return AccuracyChange(worse, better, correct_a.size, p_value)


def _correct(name: str, ranked: ArrayLike, true_labels: ArrayLike, k: int) -> NDArray[np.bool_]:
    """Whether the first k ranks hold the true label, for the images that have one."""
    ranked = as_ranked(name, ranked)
    truth = as_labels("true_labels", true_labels, ndim=1, lowest=UNKNOWN_LABEL)
    if len(truth) != len(ranked):
        raise ValueError(f"true_labels: {len(truth)} images, expected {len(ranked)} as in {name}")
    k = as_integer("k", k, low=1, high=ranked.shape[1])
    known = truth != UNKNOWN_LABEL
    return (ranked[known, :k] == truth[known, np.newaxis]).any(axis=1)
