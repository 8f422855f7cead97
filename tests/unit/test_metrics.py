"""The metrics against independent definitions: sets and loops, scipy, closed forms, the paper."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from deltann import metrics
from helpers.properties import for_all, ranked_pairs

labels = st.integers(0, 999)
persistence = st.floats(0.05, 0.98)


# --- Labels ---------------------------------------------------------------------------------


@for_all(st.lists(st.tuples(labels, labels) | labels.map(lambda x: (x, x)), min_size=1))
def test_dissimilarity_counts_the_images_that_differ(pairs):
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    differing = [x != y for x, y in pairs]
    percent = metrics.top1_dissimilarity(a, b)
    assert percent == pytest.approx(100 * sum(differing) / len(pairs))
    assert percent == metrics.top1_dissimilarity(b, a)
    assert metrics.top1_dissimilarity(a, a) == 0
    assert metrics.top1_differs(a, b).tolist() == differing


def test_dissimilarity_of_unsigned_and_signed_labels():
    assert metrics.top1_dissimilarity(np.array([0, 5], np.uint8), np.array([0, 4], np.int32)) == 50


@for_all(
    st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_wilson_interval_is_the_closed_form(counts, confidence):
    successes, n = counts
    z = stats.norm.ppf(0.5 + confidence / 2)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = metrics.wilson_interval(successes, n, confidence)
    assert (low, high) == pytest.approx((100 * (centre - half), 100 * (centre + half)), abs=1e-9)
    assert 0 <= low <= 100 * share + 1e-9 and 100 * share - 1e-9 <= high <= 100
    mirrored = metrics.wilson_interval(n - successes, n, confidence)
    assert mirrored == pytest.approx((100 - high, 100 - low), abs=1e-9)


@for_all(st.floats(0.05, 60), st.floats(0.5, 0.999))
def test_wilson_sample_size_is_the_smallest_that_rules_the_percentage_out(percent, confidence):
    n = metrics.wilson_sample_size(percent, confidence)
    nearly = percent * (1 + 1e-9)
    assert metrics.wilson_interval(0, n, confidence).high <= nearly
    assert n == 1 or metrics.wilson_interval(0, n - 1, confidence).high > percent * (1 - 1e-9)
    assert metrics.wilson_sample_size(1) == 381


def test_wilson_interval_takes_numpy_counts_and_solves_the_score_equation():
    # The ends are where the score test of the proportion is exactly at its critical value.
    interval = metrics.wilson_interval(np.int64(3), np.int32(20))
    for end in interval:
        tested = end / 100
        score = (3 / 20 - tested) / math.sqrt(tested * (1 - tested) / 20)
        assert abs(score) == pytest.approx(stats.norm.ppf(0.975))


# --- Ranked labels --------------------------------------------------------------------------


@for_all(ranked_pairs())
def test_jaccard_is_that_of_sets(pair):
    a, b = pair
    expected = [len(set(x) & set(y)) / len(set(x) | set(y)) for x, y in zip(a, b, strict=True)]
    assert metrics.top_k_jaccard(a, b) == pytest.approx(expected)


def union_ranks(a, b):
    """Ranks of the union of two lists in each, absent ones at k+1."""
    union = sorted(set(a) | set(b))
    return [[list(x).index(u) + 1 if u in x else len(x) + 1 for u in union] for x in (a, b)]


@for_all(ranked_pairs(min_k=2))
def test_kendall_is_scipys_on_the_unions_ranks(pair):
    a, b = pair
    expected = [
        stats.kendalltau(*union_ranks(x, y), variant="b").statistic
        for x, y in zip(a, b, strict=True)
    ]
    assert metrics.kendall_tau_b(a, b) == pytest.approx(expected)


@for_all(ranked_pairs())
def test_kendall_is_one_less_twice_fagins_distance(pair):
    # Fagin et al. 2003, K^(p) with p = 1/2, from its four cases, over the pairs that count.
    for x, y, tau in zip(*pair, metrics.kendall_tau_b(*pair), strict=True):
        x, y = x.tolist(), y.tolist()
        assume(x != y or len(x) > 1)
        union = sorted(set(x) | set(y))
        distance, tied = Fraction(0), 0
        for i, u in enumerate(union):
            for v in union[i + 1 :]:
                held = [[w for w in items if w in (u, v)] for items in (x, y)]
                if len(held[0]) == len(held[1]) == 2:  # both lists hold both
                    distance += held[0] != held[1]
                elif sorted(map(len, held)) == [1, 2]:  # one holds both, the other just one
                    whole, single = sorted(held, key=len, reverse=True)
                    distance += whole[0] != single[0]
                elif sorted(map(len, held)) == [1, 1]:  # each holds another one
                    distance += 1
                else:  # one holds both, the other none
                    distance += Fraction(1, 2)
                    tied += 1
        pairs = math.comb(len(union), 2)
        # Both rankings tie as many pairs, so tau-b's denominator is pairs - tied / 2.
        assert tau == pytest.approx(float((pairs - 2 * distance) / (pairs - Fraction(tied, 2))))


def overlap_by_summation(a, b, p, depth=4000):
    """RBO's defining series, agreement beyond the lists as at their end."""
    total, k = 0.0, len(a)
    for d in range(1, depth + 1):
        agreement = len(set(a[: min(d, k)]) & set(b[: min(d, k)])) / min(d, k)
        total += (1 - p) * p ** (d - 1) * agreement
    return total


@for_all(ranked_pairs(), persistence, examples=25)
def test_overlap_is_the_series_with_constant_agreement_beyond_the_lists(pair, p):
    a, b = pair
    expected = [overlap_by_summation(x, y, p) for x, y in zip(a, b, strict=True)]
    assert metrics.rank_biased_overlap(a, b, p) == pytest.approx(expected, abs=1e-9)


@for_all(ranked_pairs(), persistence)
def test_overlap_is_equation_32(pair, p):
    # Both lists of length k: the sums over unequal lengths are empty, X_s = X_l = X_k.
    k = pair[0].shape[1]
    expected = []
    for x, y in zip(*pair, strict=True):
        common = [len(set(x[:d]) & set(y[:d])) for d in range(k + 1)]
        seen = sum(common[d] / d * p**d for d in range(1, k + 1))
        expected.append((1 - p) / p * seen + common[k] / k * p**k)
    assert metrics.rank_biased_overlap(*pair, p) == pytest.approx(expected, abs=1e-12)


@for_all(st.integers(0, 5), persistence)
def test_overlap_of_lists_that_agree_up_to_a_rank(prefix, p):
    a, b = np.arange(5), np.arange(5) + 10
    b[:prefix] = a[:prefix]
    # The common prefix of m has weight 1 - p^m if infinitely deep; below it A_d = m/d up to
    # rank 5 and m/5 beyond.
    expected = (1 - p**prefix) + p**5 * prefix / 5
    expected += sum((1 - p) * p ** (d - 1) * prefix / d for d in range(prefix + 1, 6))
    assert metrics.rank_biased_overlap([a], [b], p)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "metric, lowest",
    [
        (metrics.top_k_jaccard, 0),
        (metrics.kendall_tau_b, -1),
        (metrics.rank_biased_overlap, 0),
    ],
)
@for_all(pair=ranked_pairs(), relabel=st.permutations(range(18)))
def test_agreement_is_bounded_symmetric_one_for_identity_and_blind_to_names(
    metric, lowest, pair, relabel
):
    a, b = pair
    agreement = metric(a, b)
    assert agreement.shape == (len(a),) and agreement.dtype == np.float64
    assert ((lowest <= agreement) & (agreement <= 1)).all()
    assert agreement == pytest.approx(metric(b, a))
    assert (metric(a, a) == 1).all()
    names = np.array(relabel)
    assert metric(names[a], names[b]) == pytest.approx(agreement)
    # An image's value doesn't depend on the images beside it.
    alone = [metric(a[[i]], b[[i]])[0] for i in range(len(a))]
    assert agreement == pytest.approx(alone)


def test_agreement_of_known_lists():
    a = [[1, 2, 3, 4, 5]] * 4
    b = [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [2, 1, 3, 4, 5], [6, 7, 8, 9, 10]]
    assert metrics.top_k_jaccard(a, b).tolist() == [1, 1, 1, 0]
    assert metrics.kendall_tau_b(a, b) == pytest.approx([1, -1, 0.8, -25 / 35])
    # A swap of the first two only loses depth 1, of weight 1 - p.
    swapped, disjoint = metrics.rank_biased_overlap(a, b, p=0.9)[2:]
    assert (swapped, disjoint) == pytest.approx((0.9, 0), abs=1e-12)


def test_agreement_of_single_labels():
    a, b = [[3], [3]], [[3], [4]]
    assert metrics.top_k_jaccard(a, b).tolist() == [1, 0]
    assert metrics.kendall_tau_b(a, b).tolist() == [1, -1]
    assert metrics.rank_biased_overlap(a, b) == pytest.approx([1, 0])


# --- Logits ---------------------------------------------------------------------------------

logits = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 6)),
    elements=st.floats(-1000, 1000, width=32),
)


@for_all(
    logits.flatmap(
        lambda a: st.tuples(
            st.just(a), hnp.arrays(np.float32, a.shape, elements=st.floats(-1000, 1000, width=32))
        )
    )
)
def test_logit_difference_is_the_loops(pair):
    a, b = pair
    absolute, relative = metrics.logit_difference(a, b)
    for x, y, largest, ratio in zip(a.tolist(), b.tolist(), absolute, relative, strict=True):
        assert largest == max(abs(u - v) for u, v in zip(x, y, strict=True))
        scale = max(map(abs, x))
        if scale:
            assert ratio == pytest.approx(largest / scale)
        else:
            assert ratio == (math.inf if any(y) else 0)
    assert (absolute == metrics.logit_difference(b, a).absolute).all()
    assert not any(part.any() for part in metrics.logit_difference(a, a))


def test_logit_difference_is_not_rounded_to_float32():
    a, b = np.float32([[16777216.0]]), np.float32([[-1.0]])
    # As Python floats: NumPy would round the expected value to float32 too.
    assert metrics.logit_difference(a, b).absolute.tolist() == [16777217.0]
