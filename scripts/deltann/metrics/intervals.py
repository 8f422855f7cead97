"""Confidence intervals, and how many images it takes to get a narrow one."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from deltann.metrics.arguments import as_integer, as_open_unit


class Interval(NamedTuple):
    """The ends of a confidence interval, in the unit of the estimate it belongs to."""

    low: float
    high: float


# Of an estimate that has no interval: a single image can't be resampled.
NO_INTERVAL = Interval(math.nan, math.nan)


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, in percent, without continuity correction.

    It keeps its coverage near 0 % and 100 % and for few images, where most proportions of a study
    are; the textbook (Wald) interval has width zero there.

    successes: 0 to n; n: at least 1; confidence: above 0, below 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22 (1927); computed by ``scipy.stats.binomtest``.
    """
    n = as_integer("n", n, low=1)
    successes = as_integer("successes", successes, low=0, high=n)
    confidence = as_open_unit("confidence", confidence)
    ends = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Interval(100.0 * float(ends.low), 100.0 * float(ends.high))


def wilson_sample_size(percent: float, confidence: float = 0.95) -> int:
    """How many images without a success it takes to rule out a proportion.

    The smallest n for which ``wilson_interval(0, n).high`` is at most ``percent``. Without a
    success Wilson's upper end is z² / (n + z²), where z is the normal quantile of the confidence.

    percent: above 0, below 100; confidence: above 0, below 1.
    """
    if not 0 < percent < 100:
        raise ValueError(f"percent: {percent!r}, expected a number above 0 and below 100")
    z = stats.norm.ppf((1.0 + as_open_unit("confidence", confidence)) / 2.0)
    return math.ceil(z**2 * (100.0 / percent - 1.0))


def percentile_interval(resampled: NDArray[np.float64], confidence: float) -> Interval:
    """The percentile bootstrap interval: the middle share ``confidence`` of resampled estimates.

    resampled: ``(resample,)``; confidence: above 0, below 1. NaN if an estimate is NaN.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    tail = (1.0 - as_open_unit("confidence", confidence)) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail])
    return Interval(float(low), float(high))
