"""How much two cells differ in labels, in ranked labels and in logits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltann.metrics.arguments import (
    as_finite,
    as_labels,
    as_open_unit,
    matches,
    same_shape,
)


class LogitDifference(NamedTuple):
    """Per image, float64 ``(image,)``: the largest absolute difference, and the relative one."""

    absolute: NDArray[np.float64]
    relative: NDArray[np.float64]


def top1_differs(labels_a: ArrayLike, labels_b: ArrayLike) -> NDArray[np.bool_]:
    """Whether each image's top-1 label differs between two cells.

    labels_a, labels_b: integers ``(image,)``. Returns bool ``(image,)``.
    """
    a = as_labels("labels_a", labels_a, ndim=1)
    b = as_labels("labels_b", labels_b, ndim=1)
    same_shape("labels_a", a, "labels_b", b)
    return a != b


def top1_dissimilarity(labels_a: ArrayLike, labels_b: ArrayLike) -> float:
    """Percent of images whose top-1 labels differ: the label dissimilarity of DeltaNN.

    labels_a, labels_b: integers ``(image,)``. Its interval is
    ``wilson_interval(top1_differs(a, b).sum(), len(a))``.

    Source: Louloudakis et al., "DeltaNN", ICSME 2023 (arXiv 2306.06208).
    """
    return 100.0 * float(top1_differs(labels_a, labels_b).mean())


def top_k_jaccard(ranked_a: ArrayLike, ranked_b: ArrayLike) -> NDArray[np.float64]:
    """Jaccard index of the two sets of top-k labels, per image; the order doesn't count.

    ranked_a, ranked_b: integers ``(image, k)``. Returns float64 ``(image,)`` from 0 (no label in
    common) to 1 (the same labels).

    Source: Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11 (1912).
    """
    match = matches(ranked_a, ranked_b)
    shared = match.sum(axis=(1, 2))
    return shared / (2 * match.shape[1] - shared)


def kendall_tau_b(ranked_a: ArrayLike, ranked_b: ArrayLike) -> NDArray[np.float64]:
    """Kendall's tau-b between two top-k lists that may hold different labels, per image.

    ranked_a, ranked_b: integers ``(image, k)``. Returns float64 ``(image,)``, 1 for identical
    lists, -1 for reversed ones.

    It is the tau-b of the two rankings of the lists' union, in which the labels that a list lacks
    all share its rank k+1. With m labels in common the union has 2k-m, each ranking ties k-m of
    them, and tau-b is (concordant - discordant) / (pairs - tied pairs): the two factors under
    tau-b's root are equal here. A pair tied in one list only counts as neither, which is Fagin's
    penalty parameter 1/2. So disjoint lists are at -2k/(3k-1), not at -1: only the pairs
    across the lists disagree. k = 1 gives 1 for the same label and -1 for another; the first has no
    pair to compare (0/0) and is 1 by definition, as identical lists are.

    Sources: Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945); Fagin,
    Kumar, Sivakumar, "Comparing top k lists", SIAM J. Discrete Mathematics 17 (2003).
    """
    match = matches(ranked_a, ranked_b)
    k = match.shape[1]
    in_both = np.asarray(match.any(axis=2)), np.asarray(match.any(axis=1))
    absent = k - in_both[0].sum(axis=1)
    balance = (
        # Pairs of a's labels, in a's order: how b orders them.
        _order_balance(_ranks(match), np.ones_like(in_both[0]))
        # The same with the roles swapped. Pairs that both lists hold were counted above.
        + _order_balance(_ranks(match.transpose(0, 2, 1)), ~in_both[1])
        # A label that only a has against one that only b has: always discordant.
        - absent**2
    )
    compared = _pairs(k + absent) - _pairs(absent)
    # Only k = 1 with the same label compares nothing.
    return np.where(compared == 0, 1.0, balance / np.maximum(compared, 1))


def _order_balance(ranks: NDArray[np.int64], needed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pairs (i, j), i before j, that ``ranks`` has in this order, less those it has reversed.

    ranks, needed: ``(image, k)``. Only pairs with at least one ``needed`` member count; a pair of
    equal ranks counts as neither.
    """
    first, second = np.triu_indices(ranks.shape[1], k=1)
    sign = np.sign(ranks[:, second] - ranks[:, first])
    return (sign * (needed[:, first] | needed[:, second])).sum(axis=1)


def _ranks(match: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rank of each of a's labels in b, from 1; k+1 where b lacks it. ``(image, k)``."""
    return np.where(match.any(axis=2), match.argmax(axis=2), match.shape[2]) + 1


def _pairs(n: NDArray[np.int64]) -> NDArray[np.int64]:
    return n * (n - 1) // 2


def rank_biased_overlap(
    ranked_a: ArrayLike, ranked_b: ArrayLike, p: float = 0.9
) -> NDArray[np.float64]:
    """Extrapolated rank-biased overlap of two top-k lists, per image.

    ranked_a, ranked_b: integers ``(image, k)``; p: above 0, below 1, the persistence: the smaller,
    the more the first ranks weigh. Returns float64 ``(image,)`` from 0 (disjoint) to 1
    (exactly 1 for identical lists).

    With A_d the share of labels that the two lists' first d have in common,
    RBO_ext = (1-p)/p * sum_{d=1..k} A_d p^d + A_k p^k: the lists are taken to go on agreeing
    beyond rank k as much as they did up to it.

    Source: Webber, Moffat, Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28
    (2010), eq. 32, whose terms for lists of unequal length vanish here.
    """
    p = as_open_unit("p", p)
    match = matches(ranked_a, ranked_b)
    k = match.shape[1]
    depth = np.arange(1, k + 1)
    # A label at ranks i and j of the two lists is in common from depth max(i, j) on.
    joins_at = np.maximum.outer(depth, depth).ravel()
    reached = (joins_at[:, np.newaxis] <= depth).astype(np.float64)
    agreement = (match.reshape(len(match), -1) @ reached) / depth
    weight = (1.0 - p) * p ** (depth - 1.0)
    weight[-1] = p ** (k - 1.0)  # (1-p) p^(k-1) for depth k itself and p^k for all beyond it
    # The weights add up to 1; summing the disagreement keeps identical lists at exactly 1.
    return np.clip(1.0 - (1.0 - agreement) @ weight, 0.0, 1.0)


def logit_difference(logits_a: ArrayLike, logits_b: ArrayLike) -> LogitDifference:
    """Largest difference between two cells' logits over the classes, per image.

    logits_a (the reference), logits_b: finite reals ``(image, class)``. Returns two float64
    ``(image,)`` arrays, computed in float64: ``absolute`` = max |a - b|, in logits, and
    ``relative`` = max |a - b| / max |a|, both maxima over that image's classes, so that a
    difference in a logit near zero isn't blown up. Where all of a's logits are zero, ``relative``
    is 0 if b's are too, else infinity.

    Source: the maximum norm of the difference, and the normwise relative error (Higham, "Accuracy
    and Stability of Numerical Algorithms", 2nd ed., 2002, section 1.2).
    """
    a = as_finite("logits_a", logits_a, ndim=2)
    b = as_finite("logits_b", logits_b, ndim=2)
    same_shape("logits_a", a, "logits_b", b)
    absolute = np.abs(a - b).max(axis=1)
    scale = np.abs(a).max(axis=1)
    relative = np.where(absolute == 0, 0.0, np.inf)
    np.divide(absolute, scale, out=relative, where=scale > 0)
    return LogitDifference(absolute, relative)


# The metrics of two ranked lists, by their column in the table `conversions`, which has their mean
# over the images.
RANKED = {
    "mean_jaccard": top_k_jaccard,
    "mean_kendall_tau_b": kendall_tau_b,
    "mean_rbo": rank_biased_overlap,
}
