"""Accuracy and its changes against loops and the binomial tail."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deltann import metrics
from helpers.properties import for_all, ranked_pairs


@st.composite
def answers(draw, parts):
    """That many label arrays over four classes, and true labels of which some are unknown."""
    n = draw(st.integers(1, 12))
    tops = [draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3))) for _ in range(parts)]
    return *tops, draw(hnp.arrays(np.int64, n, elements=st.integers(-1, 3)))


@for_all(ranked_pairs(), st.data())
def test_accuracy_is_the_share_of_known_images_that_are_hit(pair, data):
    ranked = pair[0]
    truth = data.draw(hnp.arrays(np.int64, len(ranked), elements=st.integers(-1, 8)))
    previous = 0
    for k in range(1, ranked.shape[1] + 1):
        hits = [t in r[:k] for t, r in zip(truth, ranked.tolist(), strict=True) if t != -1]
        accuracy = metrics.top_k_accuracy(ranked, truth, k)
        assert (accuracy.correct, accuracy.n) == (sum(hits), len(hits))
        expected = 100 * sum(hits) / len(hits) if hits else math.nan
        assert accuracy.percent == pytest.approx(expected, nan_ok=True)
        assert accuracy.correct >= previous
        previous = accuracy.correct


@for_all(answers(parts=2))
def test_accuracy_change_is_the_loops_and_adds_up(given_answers):
    a, b, truth = given_answers
    change = metrics.accuracy_change(a, b, truth)
    known = [(x == t, y == t) for x, y, t in zip(a, b, truth, strict=True) if t != -1]
    assert change.correct_to_wrong == known.count((True, False))
    assert change.wrong_to_correct == known.count((False, True))
    assert change.n == len(known)
    before, after = (metrics.top_k_accuracy(x[:, None], truth, 1).correct for x in (a, b))
    assert after - before == change.wrong_to_correct - change.correct_to_wrong
    back = metrics.accuracy_change(b, a, truth)
    assert back == (change.wrong_to_correct, change.correct_to_wrong, change.n, back.p_value)
    assert back.p_value == pytest.approx(change.p_value)
    ranked = metrics.top_k_accuracy_change(a[:, None], b[:, None], truth, 1)
    assert ranked == change


@for_all(st.integers(0, 40), st.integers(0, 40), st.integers(0, 3))
def test_mcnemar_is_twice_the_binomial_tail(worse, better, same):
    truth = np.zeros(worse + better + same + 1, int)
    a, b = truth.copy(), truth.copy()
    b[:worse] = 1
    a[worse : worse + better] = 1
    changed = worse + better
    tail = sum(math.comb(changed, i) for i in range(min(worse, better) + 1))
    change = metrics.accuracy_change(a, b, truth)
    assert change[:2] == (worse, better)
    assert change.p_value == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**changed))))


def test_accuracy_change_of_the_first_two_answers():
    truth = [0, 0, 0, -1]
    a = [[1, 0, 2], [1, 2, 0], [0, 1, 2], [0, 1, 2]]
    b = [[1, 2, 0], [1, 0, 2], [2, 0, 1], [2, 1, 0]]
    assert metrics.top_k_accuracy_change(a, b, truth, 2) == (1, 1, 3, 1.0)
    assert metrics.top_k_accuracy_change(a, b, truth, 1) == (1, 0, 3, 1.0)
