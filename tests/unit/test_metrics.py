"""The metrics against independent definitions: sets and loops, scipy, closed forms, the paper."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from deltann import metrics


def for_all(*args, examples=100, **kwargs):
    """Hypothesis' ``given`` without a deadline: a busy machine is no reason to fail."""

    def decorate(test):
        return settings(max_examples=examples, deadline=None)(given(*args, **kwargs)(test))

    return decorate


labels = st.integers(0, 999)
persistence = st.floats(0.05, 0.98)
seconds = st.floats(1e-4, 10.0)


@st.composite
def ranked_pairs(draw, min_k=1):
    """Two ranked lists over few classes, so that overlaps, swaps and disjoint lists all occur."""
    k = draw(st.integers(min_k, 6))
    n_classes = draw(st.integers(k, 3 * k))
    ranking = st.permutations(range(n_classes)).map(lambda items: items[:k])
    pairs = draw(st.lists(st.tuples(ranking, ranking), min_size=1, max_size=5))
    a, b = zip(*pairs, strict=True)
    return np.array(a), np.array(b)


@st.composite
def latency_pairs(draw, min_images=1):
    n = draw(st.integers(min_images, 6))
    return tuple(
        draw(hnp.arrays(np.float64, (n, draw(st.integers(1, 5))), elements=seconds))
        for _ in range(2)
    )


@st.composite
def answers(draw, parts):
    """That many label arrays over four classes, and true labels of which some are unknown."""
    n = draw(st.integers(1, 12))
    tops = [draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3))) for _ in range(parts)]
    return *tops, draw(hnp.arrays(np.int64, n, elements=st.integers(-1, 3)))


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


# --- Accuracy -------------------------------------------------------------------------------


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


# --- Speed ----------------------------------------------------------------------------------

# Louloudakis et al. 2023 (arXiv 2306.06208), appendix, tables III (ResNet101, TensorFlow) and IV
# (InceptionV3, PyTorch): seconds for 100 images with all passes off, then (seconds, speedup) with
# one pass on, and with all. AlterOpLayout of table IV failed and has no row.
PASS_ABLATION = {
    467.42: [
        (456.25, 2.39), (463.14, 0.92), (480.10, -2.71), (454.67, 2.73), (454.49, 2.77),
        (454.57, 2.75), (471.20, -0.81), (454.66, 2.73), (454.26, 2.82), (455.25, 2.60),
        (462.62, 1.03), (475.45, -1.72),
    ],
    63.43: [
        (64.11, -1.07), (60.32, 4.90), (64.28, -1.34), (62.68, 1.18), (62.78, 1.02),
        (62.96, 0.74), (63.89, -0.73), (66.90, -5.47), (63.15, 0.44), (66.80, -5.31),
        (57.11, 9.96),
    ],
}  # fmt: skip

# The same, tables I, II, V (MobileNetV2), VI, VIII, VII (ResNet101), IX, XI, X (InceptionV3):
# speedups basic to default, default to extended, basic to extended.
LEVELS = [
    (30.5, 20.1, 56.6), (-2.3, -81.4, -81.8), (-10.5, -78.7, -80.9), (27.7, 18.2, 50.8),
    (4.3, -79.3, -78.4), (-30.9, 50.9, 4.3), (-3.3, 121.4, 114.1), (11.5, -55.6, -50.4),
    (1.7, -36.8, -35.7), (5.2, 13.8, 19.7),
]  # fmt: skip


@pytest.mark.parametrize(
    "basic, candidate, published",
    [(basic, *row) for basic, rows in PASS_ABLATION.items() for row in rows],
)
def test_speedup_of_time_is_the_papers_in_the_pass_ablation(basic, candidate, published):
    measured = metrics.speedup_percent([[basic]], [[candidate]], "time")
    assert measured == pytest.approx(published, abs=0.005 + 1e-9)


@pytest.mark.parametrize("basic_default, default_extended, basic_extended", LEVELS)
def test_speedup_of_speed_is_the_papers_between_levels(
    basic_default, default_extended, basic_extended
):
    # Times such that the two published steps hold must give the published whole.
    times = [1.0, 1 / (1 + basic_default / 100)]
    times.append(times[1] / (1 + default_extended / 100))
    basic, default, extended = ([[t]] for t in times)
    assert metrics.speedup_percent(basic, default) == pytest.approx(basic_default)
    assert metrics.speedup_percent(default, extended) == pytest.approx(default_extended)
    assert metrics.speedup_percent(basic, extended) == pytest.approx(basic_extended, abs=0.15)


def test_speedup_known_values():
    baseline, twice_as_slow = [[1.0, 1.0]], [[2.0]]
    assert metrics.speedup_percent(baseline, twice_as_slow) == -50
    assert metrics.speedup_percent(baseline, twice_as_slow, measure="time") == -100
    assert metrics.speedup_percent(twice_as_slow, baseline) == 100
    assert metrics.speedup_percent(twice_as_slow, baseline, measure="time") == 50
    assert metrics.latency_ratio(baseline, twice_as_slow) == 2


def test_one_disturbed_repeat_changes_nothing():
    calm, disturbed = [[1.0, 1.0, 1.0]], [[1.0, 1.0, 100.0]]
    assert metrics.latency_ratio(calm, disturbed) == 1


@for_all(latency_pairs(), st.floats(0.01, 100))
def test_ratio_is_of_the_medians_sums(pair, unit):
    baseline, candidate = pair
    total = [sum(float(np.median(image)) for image in x) for x in pair]
    ratio = metrics.latency_ratio(baseline, candidate)
    assert ratio == pytest.approx(total[1] / total[0])
    assert metrics.latency_ratio(candidate, baseline) == pytest.approx(1 / ratio)
    assert metrics.latency_ratio(baseline * unit, candidate * unit) == pytest.approx(ratio)
    assert metrics.latency_ratio(baseline, baseline) == 1


@for_all(latency_pairs())
def test_speedup_has_the_papers_sign(pair):
    ratio = metrics.latency_ratio(*pair)
    speed = metrics.speedup_percent(*pair)
    time = metrics.speedup_percent(*pair, measure="time")
    assert np.sign(speed) == np.sign(time) == np.sign(1 - ratio)
    assert speed > -100 and time < 100
    # The two say the same of one ratio.
    assert (1 + speed / 100) * (1 - time / 100) == pytest.approx(1)


def test_ratio_interval_is_the_loops():
    rng = np.random.default_rng(3)
    baseline = rng.gamma(20, 0.001, (30, 5))
    candidate = baseline[:, :3] * rng.uniform(0.8, 1.6, (30, 1))
    base, cand = np.median(baseline, axis=1), np.median(candidate, axis=1)
    ratios = []
    for _ in range(20_000):
        drawn = rng.integers(30, size=30)
        ratios.append(cand[drawn].sum() / base[drawn].sum())
    expected = np.percentile(ratios, [5, 95])
    interval = metrics.latency_ratio_interval(baseline, candidate, 1, 20_000, 0.9)
    assert interval == pytest.approx(expected, rel=3e-3)


@for_all(latency_pairs(min_images=2), st.integers(0, 2**32), examples=40)
def test_intervals_are_ordered_repeatable_and_of_one_ratio(pair, seed):
    low, high = metrics.latency_ratio_interval(*pair, seed, 200)
    per_image = np.median(pair[1], axis=1) / np.median(pair[0], axis=1)
    # A ratio of sums lies between the smallest and the largest of the ratios.
    assert per_image.min() * (1 - 1e-12) <= low <= high <= per_image.max() * (1 + 1e-12)
    assert metrics.latency_ratio_interval(*pair, seed, 200) == (low, high)
    speed = metrics.speedup_interval(*pair, seed, 200)
    assert speed == pytest.approx((100 * (1 / high - 1), 100 * (1 / low - 1)))
    time = metrics.speedup_interval(*pair, seed, 200, measure="time")
    assert time == pytest.approx((100 * (1 - high), 100 * (1 - low)))


def test_interval_is_paired():
    # Very different images, all exactly 1.25 times as slow: nothing is uncertain.
    baseline = np.logspace(-3, 0, 20)[:, np.newaxis]
    assert metrics.latency_ratio_interval(baseline, 1.25 * baseline, 0) == pytest.approx(
        (1.25,) * 2
    )
    assert metrics.speedup_interval(baseline, 1.25 * baseline, 0) == pytest.approx((-20, -20))


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        baseline = rng.gamma(50, 0.02, (60, 1))
        candidate = baseline * rng.uniform(0.7, 1.1, (60, 1))
        low, high = metrics.latency_ratio_interval(baseline, candidate, seed, 300, 0.9)
        covered += low <= 0.9 <= high
    assert 0.84 <= covered / 300 <= 0.95


def test_interval_does_not_depend_on_the_size_of_batches(monkeypatch):
    rng = np.random.default_rng(5)
    pair = rng.gamma(9, 0.1, (2, 17, 3))
    whole = metrics.latency_ratio_interval(*pair, seed=2)
    monkeypatch.setattr(metrics.resampling, "BATCH", 100)
    again = metrics.latency_ratio_interval(*pair, seed=2)
    assert again == pytest.approx(whole, rel=1e-12)


def test_interval_of_one_image_is_undefined():
    assert np.isnan(metrics.speedup_interval([[1.0, 2.0]], [[1.0, 3.0]], seed=0)).all()


# --- Bad input ------------------------------------------------------------------------------

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
