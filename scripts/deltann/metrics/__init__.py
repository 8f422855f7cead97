"""How much cells differ: in answers, in logits, in accuracy and in speed.

Every metric of the study is defined here once, with its source. All are pure functions of arrays
(anything that ``numpy.asarray`` takes, so also ``xarray.DataArray``), vectorised over images.

Terms: *labels* are class indices from 0. A *ranked* array ``(image, k)`` holds, per image, the k
best classes, best first, no class twice. Percentages run from 0 to 100. Latencies are in seconds.

Every function raises a ``ValueError`` for bad input (empty arrays, shapes that don't match, NaN or
infinity, labels that aren't integers or are negative). Its message names the argument, its value
and the expected one. A failed cell has no answers, so compare only cells that ran.
"""

from deltann.metrics.accuracy import (
    UNKNOWN_LABEL,
    Accuracy,
    AccuracyChange,
    accuracy_change,
    top_k_accuracy,
    top_k_accuracy_change,
)
from deltann.metrics.answers import (
    RANKED,
    LogitDifference,
    kendall_tau_b,
    logit_difference,
    rank_biased_overlap,
    top1_differs,
    top1_dissimilarity,
    top_k_jaccard,
)
from deltann.metrics.intervals import (
    Interval,
    wilson_interval,
    wilson_sample_size,
)
from deltann.metrics.pareto import pareto_frontier
from deltann.metrics.roofline import Allowed, bandwidth, roofline
from deltann.metrics.speed import (
    SpeedupMeasure,
    latency_ratio,
    latency_ratio_interval,
    median_latency,
    median_latency_interval,
    speedup_interval,
    speedup_percent,
)
from deltann.metrics.statistics import (
    Anova,
    RankTest,
    eta_squared_interval,
    holm,
    one_way_anova,
    rank_test,
)

__all__ = [
    "Accuracy",
    "AccuracyChange",
    "Allowed",
    "Anova",
    "Interval",
    "LogitDifference",
    "RANKED",
    "RankTest",
    "SpeedupMeasure",
    "UNKNOWN_LABEL",
    "accuracy_change",
    "bandwidth",
    "eta_squared_interval",
    "holm",
    "kendall_tau_b",
    "latency_ratio",
    "latency_ratio_interval",
    "logit_difference",
    "median_latency",
    "median_latency_interval",
    "one_way_anova",
    "pareto_frontier",
    "rank_biased_overlap",
    "rank_test",
    "roofline",
    "speedup_interval",
    "speedup_percent",
    "top1_differs",
    "top1_dissimilarity",
    "top_k_accuracy",
    "top_k_accuracy_change",
    "top_k_jaccard",
    "wilson_interval",
    "wilson_sample_size",
]
