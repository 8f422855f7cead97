"""Does a factor (device, level, framework) change latencies, and how much? Tests and effects.

A group is one value of the factor. It holds one number per image: its median latency in seconds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from deltann.metrics import resampling
from deltann.metrics.arguments import as_finite, as_integer
from deltann.metrics.intervals import Interval, percentile_interval

FRIEDMAN, WILCOXON, KRUSKAL = "Friedman", "Wilcoxon signed-rank", "Kruskal-Wallis"


class Anova(NamedTuple):
    """F, its p, and the share of all variance that lies between the groups, 0 to 1."""

    f: float
    p: float
    eta_squared: float


class RankTest(NamedTuple):
    """A rank-based test's name, statistic and p, and an effect size from 0 to 1 with its name."""

    test: str
    statistic: float
    p: float
    effect_name: str
    effect: float


def one_way_anova(groups: Sequence[ArrayLike]) -> Anova:
    """One-way analysis of variance, as in the study's published archive.

    groups: at least two, each at least two finite numbers ``(image,)``. Where no group varies in
    itself, F is infinite and p 0 if their means differ; all three are NaN if everything is equal.

    The test assumes that the groups have different images, and that latencies are normally
    distributed with one variance. Neither holds here, so use `rank_test` beside it.

    Sources: Fisher, "Statistical Methods for Research Workers", 1925; eta squared = sum of squares
    between groups over the total (Cohen, "Statistical Power Analysis", 2nd ed., 1988, section
    8.2.2). F by ``scipy.stats.f_oneway``, p by ``scipy.stats.f``.
    """
    arrays = _groups(groups)
    eta = _eta_squared(arrays)
    if all(np.ptp(array) == 0 for array in arrays):
        nothing = float("nan")
        return Anova(nothing, nothing, nothing) if np.isnan(eta) else Anova(np.inf, 0.0, eta)
    f = max(float(stats.f_oneway(*arrays).statistic), 0.0)  # equal means: rounding may give -1e-16
    between, within = len(arrays) - 1, sum(map(len, arrays)) - len(arrays)
    return Anova(f, float(stats.f.sf(f, between, within)), eta)


def eta_squared_interval(
    groups: Sequence[ArrayLike], seed: int, resamples: int = 2000, confidence: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of eta squared over images that all groups share.

    groups: as in `one_way_anova`, all of the same images in the same order. An image is drawn for
    all groups together. Both ends are NaN if a resample has no variance.

    seed, resamples: integers, at least 0 and 1; confidence: above 0, below 1.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    seed = as_integer("seed", seed, low=0)
    resamples = as_integer("resamples", resamples, low=1)
    values = _table(groups)
    n, k = values.shape
    # Around the mean, sums of squares lose no digits.
    values = values - values.mean()
    drawn = resampling.totals(np.concatenate([values, values**2], axis=1), seed, resamples)
    sums, squares = drawn[:, :k], drawn[:, k:].sum(axis=1)
    correction = sums.sum(axis=1) ** 2 / (n * k)
    total = squares - correction
    between = (sums**2).sum(axis=1) / n - correction
    share = np.divide(between, total, out=np.full(resamples, np.nan), where=total > 0)
    return percentile_interval(np.clip(share, 0.0, 1.0), confidence)


def rank_test(groups: Sequence[ArrayLike], paired: bool) -> RankTest:
    """A rank-based test of whether the groups' latencies differ; robust to outliers and skew.

    groups: as in `one_way_anova`; paired: whether all groups have the same images in the same
    order, and so the same length.

    Paired groups are compared within images, because some images are slower than others in all
    groups:

    * three groups or more: Friedman's test; effect: Kendall's W = chi squared / (n (k - 1)).
    * two groups: Wilcoxon's signed-rank test; effect: the absolute matched-pairs rank-biserial
      correlation, (difference of the two rank sums) / their sum.

    Unpaired groups: the Kruskal-Wallis test; effect: epsilon squared = H / (n - 1), n over all
    groups. Equal groups have p = 1 and effect 0.

    Sources: Friedman, JASA 32 (1937); Kendall, Babington Smith, Annals of Mathematical Statistics
    10 (1939); Wilcoxon, Biometrics Bulletin 1 (1945); Kerby, Comprehensive Psychology 3 (2014);
    Kruskal, Wallis, JASA 47 (1952); Tomczak, Tomczak, Trends in Sport Sciences 21 (2014).
    Statistics and p by ``scipy.stats``.
    """
    if not paired:
        return _kruskal(_groups(groups))
    values = _table(groups)
    return _wilcoxon(*values.T) if values.shape[1] == 2 else _friedman(values)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """p-values corrected for the number of tests, so that any false finding stays improbable.

    p_values: ``(test,)`` from 0 to 1, NaN where there was no test; those stay NaN and don't count.
    Returns float64 ``(test,)``: the k-th smallest of m times (m - k + 1), at least as large as the
    one before it, at most 1.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
    of Statistics 6 (1979).
    """
    p = np.asarray(p_values, np.float64)
    known = ~np.isnan(p)
    if p.ndim != 1 or ((p[known] < 0) | (p[known] > 1)).any():
        raise ValueError(f"p_values: {p_values!r}, expected one dimension of numbers from 0 to 1")
    corrected = np.full(p.shape, np.nan)
    order = np.flatnonzero(known)[np.argsort(p[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order]))
    return corrected


def _eta_squared(arrays: list[NDArray[np.float64]]) -> float:
    everything = np.concatenate(arrays)
    total = ((everything - everything.mean()) ** 2).sum()
    between = sum(a.size * (a.mean() - everything.mean()) ** 2 for a in arrays)
    return float(min(1.0, between / total)) if np.ptp(everything) > 0 else float("nan")


def _friedman(values: NDArray[np.float64]) -> RankTest:
    n, k = values.shape
    if (np.ptp(values, axis=1) == 0).all():  # every image ties: nothing to rank
        return RankTest(FRIEDMAN, 0.0, 1.0, "Kendall's W", 0.0)
    result = stats.friedmanchisquare(*values.T)
    agreement = float(np.clip(result.statistic / (n * (k - 1)), 0.0, 1.0))
    return RankTest(
        FRIEDMAN, float(result.statistic), float(result.pvalue), "Kendall's W", agreement
    )


def _wilcoxon(a: NDArray[np.float64], b: NDArray[np.float64]) -> RankTest:
    name = "rank-biserial correlation"
    differences = (a - b)[a != b]
    if not differences.size:
        return RankTest(WILCOXON, 0.0, 1.0, name, 0.0)
    result = stats.wilcoxon(differences)
    ranks = stats.rankdata(np.abs(differences))
    effect = abs(float((np.sign(differences) * ranks).sum() / ranks.sum()))
    return RankTest(WILCOXON, float(result.statistic), float(result.pvalue), name, effect)


def _kruskal(arrays: list[NDArray[np.float64]]) -> RankTest:
    everything = np.concatenate(arrays)
    if np.ptp(everything) == 0:
        return RankTest(KRUSKAL, 0.0, 1.0, "epsilon squared", 0.0)
    result = stats.kruskal(*arrays)
    effect = float(np.clip(result.statistic / (everything.size - 1), 0.0, 1.0))
    return RankTest(
        KRUSKAL, float(result.statistic), float(result.pvalue), "epsilon squared", effect
    )


def _groups(groups: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    arrays = [as_finite(f"groups[{i}]", group, ndim=1) for i, group in enumerate(groups)]
    if len(arrays) < 2 or min(array.size for array in arrays) < 2:
        sizes = [array.size for array in arrays]
        raise ValueError(f"groups: of {sizes} numbers, expected two groups of two or more")
    return arrays


def _table(groups: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Groups of the same images as ``(image, group)``."""
    arrays = _groups(groups)
    if len({array.size for array in arrays}) > 1:
        sizes = [array.size for array in arrays]
        raise ValueError(f"groups: of {sizes} numbers, expected the same images in each")
    return np.stack(arrays, axis=1)
