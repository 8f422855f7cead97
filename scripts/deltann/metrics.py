"""How much two cells differ: in answers, in logits, in accuracy and in speed.

Every metric of the study is defined here once, with its source. All are pure functions of arrays
(anything that ``numpy.asarray`` takes, so also ``xarray.DataArray``), vectorised over images.

Words: *labels* are class indices from 0; a *ranked* array ``(image, k)`` holds, per image, the k
best classes, best first, no class twice. Percentages run from 0 to 100. Latencies are in seconds.

Every function refuses bad input with a ``ValueError`` that names the argument, what it got and
what was expected: empty arrays, shapes that don't match, NaN or infinity, labels that aren't
integers or are negative. A failed cell has no answers, and two cells without answers don't agree:
select the cells that ran before comparing them.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

UNKNOWN_LABEL = -1
"""The true label of an image that has none."""

# How many numbers a batch of bootstrap resamples may hold (indices of 8 bytes, and two
# arrays of latencies as large): about 100 MB at the peak, however many images there are.
_BOOTSTRAP_BATCH = 4_000_000

SpeedupMeasure = Literal["speed", "time"]


class Interval(NamedTuple):
    """The ends of a confidence interval, in the unit of the estimate it belongs to."""

    low: float
    high: float


class LogitDifference(NamedTuple):
    """Per image, float64 ``(image,)``: the largest absolute difference, and the relative one."""

    absolute: NDArray[np.float64]
    relative: NDArray[np.float64]


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


# --- Labels ---------------------------------------------------------------------------------


def top1_differs(labels_a: ArrayLike, labels_b: ArrayLike) -> NDArray[np.bool_]:
    """Whether each image's top-1 label differs between two cells.

    labels_a, labels_b: integers ``(image,)``. Returns bool ``(image,)``.
    """
    a = _labels("labels_a", labels_a, ndim=1)
    b = _labels("labels_b", labels_b, ndim=1)
    _same_shape("labels_a", a, "labels_b", b)
    return a != b


def top1_dissimilarity(labels_a: ArrayLike, labels_b: ArrayLike) -> float:
    """Percent of images whose top-1 labels differ: the label dissimilarity of DeltaNN.

    labels_a, labels_b: integers ``(image,)``. Its interval is
    ``wilson_interval(top1_differs(a, b).sum(), len(a))``.

    Source: Louloudakis et al., "DeltaNN", ICSME 2023 (arXiv 2306.06208).
    """
    return 100.0 * float(top1_differs(labels_a, labels_b).mean())


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, in percent, without continuity correction.

    It keeps its coverage near 0 % and 100 % and for few images, where most of the study's
    proportions are; the textbook (Wald) interval has width zero there.

    successes: 0 to n; n: at least 1; confidence: above 0, below 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927); computed by ``scipy.stats.binomtest``.
    """
    n = _integer("n", n, low=1)
    successes = _integer("successes", successes, low=0, high=n)
    confidence = _open_unit("confidence", confidence)
    ends = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Interval(100.0 * float(ends.low), 100.0 * float(ends.high))


# --- Ranked labels --------------------------------------------------------------------------


def top_k_jaccard(ranked_a: ArrayLike, ranked_b: ArrayLike) -> NDArray[np.float64]:
    """Jaccard index of the two sets of top-k labels, per image; the order doesn't count.

    ranked_a, ranked_b: integers ``(image, k)``. Returns float64 ``(image,)`` from 0 (no label in
    common) to 1 (the same labels).

    Source: Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11 (1912).
    """
    match = _matches(ranked_a, ranked_b)
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
    match = _matches(ranked_a, ranked_b)
    k = match.shape[1]
    in_both = match.any(axis=2), match.any(axis=1)
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
    p = _open_unit("p", p)
    match = _matches(ranked_a, ranked_b)
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


# --- Logits ---------------------------------------------------------------------------------


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
    a = _finite("logits_a", logits_a, ndim=2)
    b = _finite("logits_b", logits_b, ndim=2)
    _same_shape("logits_a", a, "logits_b", b)
    absolute = np.abs(a - b).max(axis=1)
    scale = np.abs(a).max(axis=1)
    relative = np.where(absolute == 0, 0.0, np.inf)
    np.divide(absolute, scale, out=relative, where=scale > 0)
    return LogitDifference(absolute, relative)


# --- Accuracy -------------------------------------------------------------------------------


def top_k_accuracy(ranked: ArrayLike, true_labels: ArrayLike, k: int) -> Accuracy:
    """Percent of images whose true label is among the first k ranked ones.

    ranked: integers ``(image, rank)``; true_labels: integers ``(image,)``, -1 where unknown: those
    images don't count; k: 1 to the number of ranks. Without any known label ``percent`` is NaN.

    Source: the top-k error of ILSVRC (Russakovsky et al., IJCV 115, 2015), as its complement.
    """
    correct = _correct("ranked", ranked, true_labels, k)
    n = correct.size
    hits = int(correct.sum())
    return Accuracy(100.0 * hits / n if n else float("nan"), hits, n)


def accuracy_change(top1_a: ArrayLike, top1_b: ArrayLike, true_labels: ArrayLike) -> AccuracyChange:
    """How many top-1 answers turn wrong, and right, from cell a to cell b, on the same images.

    top1_a, top1_b: integers ``(image,)``; true_labels: integers ``(image,)``, -1 where unknown.
    ``p_value`` is McNemar's, exact: two-sided, that so uneven a split of the images whose
    correctness changed has equal chances; 1 where none changed.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions
    or percentages", Psychometrika 12 (1947), with the binomial distribution instead of the
    chi-squared approximation.
    """
    a = _labels("top1_a", top1_a, ndim=1)
    b = _labels("top1_b", top1_b, ndim=1)
    _same_shape("top1_a", a, "top1_b", b)
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
    ranked = _ranked(name, ranked)
    truth = _labels("true_labels", true_labels, ndim=1, lowest=UNKNOWN_LABEL)
    if len(truth) != len(ranked):
        raise ValueError(f"true_labels: {len(truth)} images, expected {len(ranked)} as in {name}")
    k = _integer("k", k, low=1, high=ranked.shape[1])
    known = truth != UNKNOWN_LABEL
    return (ranked[known, :k] == truth[known, np.newaxis]).any(axis=1)


# --- Speed ----------------------------------------------------------------------------------


def latency_ratio(baseline_seconds: ArrayLike, candidate_seconds: ArrayLike) -> float:
    """The candidate's time over the baseline's: 1 as fast, 2 twice as slow.

    baseline_seconds, candidate_seconds: positive reals ``(image, repeat)`` of the same images; the
    numbers of repeats may differ. Each image counts with the median of its repeats, which one
    disturbed repeat doesn't move; the ratio is that of the two sums over images, so of the time
    that the whole set takes, as in the paper's tables of total times.
    """
    baseline, candidate = _paired_medians(baseline_seconds, candidate_seconds)
    return float(_ratio_of_totals(baseline, candidate))


def latency_ratio_interval(
    baseline_seconds: ArrayLike,
    candidate_seconds: ArrayLike,
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of ``latency_ratio``, over images.

    Images are drawn with replacement, both cells' latencies of an image together, so that what
    makes an image slow for both doesn't widen the interval. It says how the ratio varies from
    image to image; not how it varies between runs or machines. The same seed gives the same
    interval. One image can't be resampled: both ends are NaN.

    seed, resamples: integers, at least 0 and 1; confidence: above 0, below 1.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; computed by
    ``scipy.stats.bootstrap``.
    """
    seed = _integer("seed", seed, low=0)
    resamples = _integer("resamples", resamples, low=1)
    confidence = _open_unit("confidence", confidence)
    medians = _paired_medians(baseline_seconds, candidate_seconds)
    return _bootstrap(medians, _ratio_of_totals, seed, resamples, confidence)


def median_latency(seconds: ArrayLike) -> float:
    """The typical image's latency in seconds: the median over images of each one's median repeat.

    seconds: positive reals ``(image, repeat)``.
    """
    return float(np.median(_image_medians(seconds)))


def median_latency_interval(
    seconds: ArrayLike, seed: int, resamples: int = 2000, confidence: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of ``median_latency``, in seconds, over images.

    The arguments, limits and source of ``latency_ratio_interval`` hold here too.
    """
    seed = _integer("seed", seed, low=0)
    resamples = _integer("resamples", resamples, low=1)
    confidence = _open_unit("confidence", confidence)
    return _bootstrap((_image_medians(seconds),), np.median, seed, resamples, confidence)


def speedup_percent(
    baseline_seconds: ArrayLike,
    candidate_seconds: ArrayLike,
    measure: SpeedupMeasure = "speed",
) -> float:
    """By how many percent the candidate is faster than the baseline; negative where slower.

    baseline_seconds, candidate_seconds: positive reals ``(image, repeat)``, taken together into
    one ratio as in ``latency_ratio``.

    The paper's appendix uses two formulas, with the same sign:

    * ``"speed"``: (baseline / candidate - 1) * 100, above -100: the optimization tables I, II and
      V to XI. They print no times, but of their 41 configurations that ran at all three levels,
      all have 1 + s(basic, extended) = (1 + s(basic, default)) * (1 + s(default, extended)) to
      0.15 percentage points, their rounding; with the other formula they miss it by up to 31.
      Two speedups there are also over 100, which the other formula can't give. So a
      published -81.4 is 5.4 times as slow.
    * ``"time"``: (1 - candidate / baseline) * 100, at most 100: the pass-ablation tables III and
      IV, whose printed total times give every printed speedup to its last digit.

    Source: Louloudakis et al., "DeltaNN", ICSME 2023 (arXiv 2306.06208), appendix.
    """
    ratio = latency_ratio(baseline_seconds, candidate_seconds)
    return _speedup(ratio, measure)


def speedup_interval(
    baseline_seconds: ArrayLike,
    candidate_seconds: ArrayLike,
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
    measure: SpeedupMeasure = "speed",
) -> Interval:
    """Bootstrap interval of ``speedup_percent``, in percent, over images.

    A speedup falls as the ratio of latencies grows, so the ends are those of
    ``latency_ratio_interval``, converted and swapped; its arguments and limits hold here too.
    """
    ratio = latency_ratio_interval(baseline_seconds, candidate_seconds, seed, resamples, confidence)
    return Interval(_speedup(ratio.high, measure), _speedup(ratio.low, measure))


def _speedup(ratio: float, measure: SpeedupMeasure) -> float:
    if measure == "speed":
        return 100.0 * (1.0 / ratio - 1.0)
    if measure == "time":
        return 100.0 * (1.0 - ratio)
    raise ValueError(f"measure: {measure!r}, expected 'speed' or 'time'")


def _bootstrap(
    medians: tuple[NDArray[np.float64], ...],
    statistic: Callable[..., NDArray[np.float64]],
    seed: int,
    resamples: int,
    confidence: float,
) -> Interval:
    """Percentile bootstrap over the images of arrays ``(image,)``, drawn together."""
    n = medians[0].size
    if n == 1:
        return Interval(float("nan"), float("nan"))
    ends = stats.bootstrap(
        medians,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _BOOTSTRAP_BATCH // n),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(ends.low), float(ends.high))


def _ratio_of_totals(
    baseline: NDArray[np.float64], candidate: NDArray[np.float64], axis: int = -1
) -> NDArray[np.float64]:
    return candidate.sum(axis=axis) / baseline.sum(axis=axis)


def _paired_medians(
    baseline_seconds: ArrayLike, candidate_seconds: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    baseline = _seconds("baseline_seconds", baseline_seconds)
    candidate = _seconds("candidate_seconds", candidate_seconds)
    if len(baseline) != len(candidate):
        raise ValueError(
            f"candidate_seconds: {len(candidate)} images, expected {len(baseline)} as in "
            "baseline_seconds"
        )
    return np.median(baseline, axis=1), np.median(candidate, axis=1)


def _image_medians(seconds: ArrayLike) -> NDArray[np.float64]:
    return np.median(_seconds("seconds", seconds), axis=1)


# --- Checks of arguments --------------------------------------------------------------------


def _array(name: str, values: ArrayLike, ndim: int, kinds: str, expected: str) -> NDArray:
    array = np.asarray(values)
    if array.dtype.kind not in kinds:
        raise ValueError(f"{name}: dtype {array.dtype}, expected {expected}")
    if array.ndim != ndim or array.size == 0:
        raise ValueError(
            f"{name}: shape {array.shape}, expected {ndim} dimension{'s' * (ndim > 1)}, none empty"
        )
    return array


def _labels(name: str, values: ArrayLike, ndim: int, lowest: int = 0) -> NDArray[np.int64]:
    # Float labels are refused even if whole: they come from NaN put where a cell has no answer.
    array = _array(name, values, ndim, "iu", "integers").astype(np.int64)
    if array.min() < lowest:
        raise ValueError(f"{name}: holds {array.min()}, expected labels of at least {lowest}")
    return array


def _ranked(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = _labels(name, values, ndim=2)
    ordered = np.sort(array, axis=1)
    repeats = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if repeats.any():
        image = int(repeats.argmax())
        raise ValueError(
            f"{name}: {array[image].tolist()} at image {image}, expected no label twice"
        )
    return array


def _matches(ranked_a: ArrayLike, ranked_b: ArrayLike) -> NDArray[np.bool_]:
    """``[image, i, j]``: whether rank i of a and rank j of b hold the same label."""
    a = _ranked("ranked_a", ranked_a)
    b = _ranked("ranked_b", ranked_b)
    _same_shape("ranked_a", a, "ranked_b", b)
    return a[:, :, np.newaxis] == b[:, np.newaxis, :]


def _finite(name: str, values: ArrayLike, ndim: int) -> NDArray[np.float64]:
    array = _array(name, values, ndim, "iuf", "real numbers").astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}: {array[where]} at {where}, expected finite numbers")
    return array


def _seconds(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = _finite(name, values, ndim=2)
    if array.min() <= 0:
        raise ValueError(f"{name}: holds {array.min()} s, expected positive times")
    return array


def _same_shape(name_a: str, a: NDArray, name_b: str, b: NDArray) -> None:
    if a.shape != b.shape:
        raise ValueError(f"{name_b}: shape {b.shape}, expected {a.shape} as {name_a}")


def _integer(name: str, value: int, low: int, high: int | None = None) -> int:
    expected = f"an integer of at least {low}" if high is None else f"an integer, {low} to {high}"
    try:
        number = index(value)
    except TypeError:
        raise ValueError(f"{name}: {value!r}, expected {expected}") from None
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name}: {number}, expected {expected}")
    return number


def _open_unit(name: str, value: float) -> float:
    # Written so that NaN fails too.
    if not 0 < value < 1:
        raise ValueError(f"{name}: {value!r}, expected a number above 0 and below 1")
    return float(value)
