"""Bad arguments of metrics are refused by their names."""

import math

import numpy as np
import pytest

from deltann import metrics

RANKED = [[0, 1, 2], [3, 4, 5]]
TIMES = [[0.1, 0.2], [0.3, 0.4]]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: metrics.top1_dissimilarity([], []), r"labels_a: dtype float64, expected integers"),
        (lambda: metrics.top1_dissimilarity(np.array([], int), [1]), r"labels_a: shape \(0,\)"),
        (
            lambda: metrics.top1_dissimilarity([1, 2], [1]),
            r"labels_b: shape \(1,\), expected \(2,\)",
        ),
        (lambda: metrics.top1_dissimilarity([1, 2], [1, math.nan]), "labels_b: dtype float64"),
        (lambda: metrics.top1_dissimilarity([1, -1], [1, -1]), "labels_a: holds -1, .*at least 0"),
        (lambda: metrics.top1_dissimilarity([True], [True]), "labels_a: dtype bool"),
        (lambda: metrics.top1_dissimilarity(["cat"], ["cat"]), "labels_a: dtype <U3"),
        (
            lambda: metrics.top1_dissimilarity([[1]], [[1]]),
            r"shape \(1, 1\), expected 1 dimension,",
        ),
        (lambda: metrics.wilson_interval(0, 0), "n: 0, expected an integer of at least 1"),
        (lambda: metrics.wilson_interval(3, 2), "successes: 3, expected an integer, 0 to 2"),
        (lambda: metrics.wilson_interval(-1, 2), "successes: -1"),
        (lambda: metrics.wilson_interval(0.5, 2), "successes: 0.5, expected an integer"),
        (lambda: metrics.wilson_interval(1, 2, 95), "confidence: 95, expected .* below 1"),
        (lambda: metrics.wilson_interval(1, 2, math.nan), "confidence: nan"),
        (lambda: metrics.wilson_sample_size(100), "percent: 100, expected .* below 100"),
        (lambda: metrics.top_k_jaccard(RANKED, [[0, 1]]), r"ranked_b: shape \(1, 2\)"),
        (lambda: metrics.top_k_jaccard([1, 2], [1, 2]), "ranked_a: shape .* expected 2 dimensions"),
        (
            lambda: metrics.kendall_tau_b(RANKED, [[0, 1, 2], [3, 4, 3]]),
            r"ranked_b: \[3, 4, 3\] at image 1, expected no label twice",
        ),
        (
            lambda: metrics.rank_biased_overlap(np.zeros((0, 5), int), np.zeros((0, 5), int)),
            "ranked_a",
        ),
        (lambda: metrics.rank_biased_overlap(RANKED, RANKED, p=1.0), "p: 1.0, expected"),
        (lambda: metrics.rank_biased_overlap(RANKED, RANKED, p=0.0), "p: 0.0, expected"),
        (lambda: metrics.logit_difference([[1.0, math.nan]], [[1.0, 2.0]]), r"a: nan at \(0, 1\)"),
        (lambda: metrics.logit_difference([[1.0]], [[math.inf]]), r"logits_b: inf at \(0, 0\)"),
        (lambda: metrics.logit_difference([[1.0, 2.0]], [[1.0]]), r"logits_b: shape \(1, 1\)"),
        (lambda: metrics.logit_difference([[1j]], [[1j]]), "logits_a: dtype complex128"),
        (lambda: metrics.top_k_accuracy(RANKED, [0, 3], 4), "k: 4, expected an integer, 1 to 3"),
        (lambda: metrics.top_k_accuracy(RANKED, [0, 3], 0), "k: 0"),
        (lambda: metrics.top_k_accuracy(RANKED, [0], 1), "true_labels: 1 images, expected 2"),
        (lambda: metrics.top_k_accuracy(RANKED, [0, -2], 1), "true_labels: holds -2"),
        (lambda: metrics.accuracy_change([0, 1], [0], [0, 1]), "top1_b: shape"),
        (lambda: metrics.accuracy_change([0, 1], [0, 1], [0.0, math.nan]), "true_labels: dtype"),
        (lambda: metrics.top_k_accuracy_change(RANKED, RANKED[:1], [0, 3], 1), "as in ranked_b"),
        (
            lambda: metrics.speedup_percent(TIMES, TIMES[:1]),
            "candidate_seconds: 1 images, expected 2",
        ),
        (
            lambda: metrics.speedup_percent([[0.1, 0.0]], [[0.1, 0.2]]),
            "baseline_seconds: holds 0.0 s",
        ),
        (lambda: metrics.speedup_percent([[0.1]], [[math.nan]]), "candidate_seconds: nan"),
        (lambda: metrics.speedup_percent([0.1], [0.1]), "baseline_seconds: shape"),
        (lambda: metrics.speedup_percent(TIMES, np.zeros((2, 0))), "candidate_seconds: shape"),
        (
            lambda: metrics.speedup_percent(TIMES, TIMES, "ratio"),
            "measure: 'ratio', expected 'speed'",
        ),
        (lambda: metrics.speedup_interval(TIMES, TIMES, seed=-1), "seed: -1"),
        (lambda: metrics.speedup_interval(TIMES, TIMES, 0, resamples=0), "resamples: 0"),
        (lambda: metrics.speedup_interval(TIMES, TIMES, 0, confidence=0), "confidence: 0"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_accuracy_without_any_true_label_is_unknown():
    assert metrics.top_k_accuracy(RANKED, [-1, -1], 1) == (
        pytest.approx(math.nan, nan_ok=True),
        0,
        0,
    )
    assert metrics.accuracy_change([0, 1], [1, 1], [-1, -1]) == (0, 0, 0, 1.0)
