"""How much faster one cell is than another, with bootstrap intervals over images."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltann.metrics import resampling
from deltann.metrics.arguments import as_integer, as_seconds
from deltann.metrics.intervals import NO_INTERVAL, Interval, percentile_interval

SpeedupMeasure = Literal["speed", "time"]


def latency_ratio(baseline_seconds: ArrayLike, candidate_seconds: ArrayLike) -> float:
    """The candidate's time over the baseline's: 1 as fast, 2 twice as slow.

    baseline_seconds, candidate_seconds: positive reals ``(image, repeat)`` of the same images; the
    numbers of repeats may differ. Each image counts with the median of its repeats, so one
    disturbed repeat changes nothing. The ratio is that of the two sums over images, so of the time
    for all images, as in the paper's tables of total times.
    """
    baseline, candidate = _paired_medians(baseline_seconds, candidate_seconds)
    return float(candidate.sum() / baseline.sum())


def latency_ratio_interval(
    baseline_seconds: ArrayLike,
    candidate_seconds: ArrayLike,
    seed: int,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of ``latency_ratio``, over images.

    Images are drawn with replacement, both cells' latencies of an image together: an image that is
    slow for both cells doesn't widen the interval. The interval describes how the ratio varies
    between images, not between runs or machines. The same seed gives the same interval. With one
    image both ends are NaN.

    seed, resamples: integers, at least 0 and 1; confidence: above 0, below 1.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    seed = as_integer("seed", seed, low=0)
    resamples = as_integer("resamples", resamples, low=1)
    medians = np.stack(_paired_medians(baseline_seconds, candidate_seconds), axis=1)
    if len(medians) == 1:
        return NO_INTERVAL
    baseline, candidate = resampling.totals(medians, seed, resamples).T
    return percentile_interval(candidate / baseline, confidence)


def median_latency(seconds: ArrayLike) -> float:
    """The typical image's latency in seconds: the median over images of each one's median repeat.

    seconds: positive reals ``(image, repeat)``.
    """
    return float(np.median(_image_medians(seconds)))


def median_latency_interval(
    seconds: ArrayLike, seed: int, resamples: int = 2000, confidence: float = 0.95
) -> Interval:
    """Percentile bootstrap interval of ``median_latency``, in seconds, over images.

    It has the arguments, limits and source of ``latency_ratio_interval``.
    """
    seed = as_integer("seed", seed, low=0)
    resamples = as_integer("resamples", resamples, low=1)
    medians = _image_medians(seconds)
    if len(medians) == 1:
        return NO_INTERVAL
    return percentile_interval(resampling.medians(medians, seed, resamples), confidence)


def speedup_percent(
    baseline_seconds: ArrayLike,
    candidate_seconds: ArrayLike,
    measure: SpeedupMeasure = "speed",
) -> float:
    """How much faster the candidate is than the baseline, in percent; negative where slower.

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
    ``latency_ratio_interval``, converted and swapped. It has the same arguments and limits.
    """
    ratio = latency_ratio_interval(baseline_seconds, candidate_seconds, seed, resamples, confidence)
    return Interval(_speedup(ratio.high, measure), _speedup(ratio.low, measure))


def _speedup(ratio: float, measure: SpeedupMeasure) -> float:
    if measure == "speed":
        return 100.0 * (1.0 / ratio - 1.0)
    if measure == "time":
        return 100.0 * (1.0 - ratio)
    raise ValueError(f"measure: {measure!r}, expected 'speed' or 'time'")


def _paired_medians(
    baseline_seconds: ArrayLike, candidate_seconds: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    baseline = as_seconds("baseline_seconds", baseline_seconds)
    candidate = as_seconds("candidate_seconds", candidate_seconds)
    if len(baseline) != len(candidate):
        raise ValueError(
            f"candidate_seconds: {len(candidate)} images, expected {len(baseline)} as in "
            "baseline_seconds"
        )
    return np.median(baseline, axis=1), np.median(candidate, axis=1)


def _image_medians(seconds: ArrayLike) -> NDArray[np.float64]:
    return np.median(as_seconds("seconds", seconds), axis=1)
