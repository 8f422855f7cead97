"""The tests and effect sizes against independent definitions: loops, tables, scipy's other ways."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from deltann import metrics
from deltann.metrics import resampling
from helpers.properties import for_all

# Few distinct values, so that ties occur, and exact ones, so that differences tie too.
times = st.integers(1, 12).map(lambda value: value / 64)


@st.composite
def tables(draw, least=2, most=4):
    """Latencies (image, group)."""
    shape = draw(st.integers(2, 9)), draw(st.integers(least, most))
    return draw(hnp.arrays(np.float64, shape, elements=times))


@for_all(tables())
def test_anova_is_the_sums_of_squares(values):
    n, k = values.shape
    grand = sum(values.ravel()) / values.size
    between = sum(n * (column.mean() - grand) ** 2 for column in values.T)
    within = sum((x - column.mean()) ** 2 for column in values.T for x in column)
    assume(within > 1e-9)
    found = metrics.one_way_anova(list(values.T))
    f = (between / (k - 1)) / (within / (n * k - k))
    assert found.f == pytest.approx(f, rel=1e-6, abs=1e-9)
    assert found.p == pytest.approx(stats.f.sf(f, k - 1, n * k - k), rel=1e-5)
    assert found.eta_squared == pytest.approx(between / (between + within), abs=1e-9)


def test_anova_of_a_textbook():
    # Fertilizer yields: F(2, 15) = 9.3 (OpenStax, Introductory Statistics, among others).
    groups = [[6, 8, 4, 5, 3, 4], [8, 12, 9, 11, 6, 8], [13, 9, 11, 8, 7, 12]]
    found = metrics.one_way_anova(groups)
    assert found.f == pytest.approx(9.3, abs=0.05)
    assert found.p == pytest.approx(0.0024, abs=1e-4)
    assert found.eta_squared == pytest.approx(84 / 152)


def test_anova_of_equal_means():
    """scipy's F of these is -1.5e-32, of which its p is NaN."""
    groups = np.array([[1, 7, 2], [1, 1, 8]]) / 64
    assert metrics.one_way_anova(groups) == (0, 1, 0)


def test_anova_without_any_spread():
    assert metrics.one_way_anova([[1, 1], [2, 2]]) == (np.inf, 0, 1)
    assert np.isnan(metrics.one_way_anova([[1, 1], [1, 1]])).all()


@for_all(tables(least=3))
def test_friedman_is_that_of_rank_sums(values):
    assume((np.ptp(values, axis=1) > 0).any())
    n, k = values.shape
    ranks = np.array([stats.rankdata(row) for row in values])
    sums = ranks.sum(axis=0)
    ties = sum(t**3 - t for row in values for t in np.unique(row, return_counts=True)[1])
    # Kendall's W with its correction for ties.
    w = 12 * ((sums - n * (k + 1) / 2) ** 2).sum() / (n**2 * (k**3 - k) - n * ties)
    found = metrics.rank_test(list(values.T), paired=True)
    assert found.test == "Friedman" and found.effect_name == "Kendall's W"
    assert found.effect == pytest.approx(w, abs=1e-9)
    assert found.statistic == pytest.approx(w * n * (k - 1), abs=1e-9)
    assert found.p == pytest.approx(stats.chi2.sf(w * n * (k - 1), k - 1))


@for_all(tables(most=2))
def test_signed_ranks_are_the_walsh_averages(values):
    differences = [a - b for a, b in values if a != b]
    assume(differences)
    found = metrics.rank_test(list(values.T), paired=True)
    pairs = [(x + y) / 2 for x, y in combinations(differences, 2)] + differences
    tied = sum(abs(value) < 1e-12 for value in pairs)
    # The sum of the positive ranks is the number of positive Walsh averages, ties by half.
    positive = sum(value > 1e-12 for value in pairs) + tied / 2
    total = len(pairs)
    assert found.effect == pytest.approx(abs(2 * positive - total) / total, abs=1e-9)
    assert found.statistic == pytest.approx(min(positive, total - positive))
    assert 0 <= found.p <= 1


@for_all(tables())
def test_kruskal_is_the_anova_of_ranks(values):
    assume(np.ptp(values) > 0)
    ranks = stats.rankdata(values).reshape(values.shape)
    found = metrics.rank_test(list(values.T), paired=False)
    # H / (n - 1) is the eta squared of the ranks.
    spread = ((ranks - ranks.mean()) ** 2).sum()
    between = len(values) * ((ranks.mean(axis=0) - ranks.mean()) ** 2).sum()
    assert found.effect == pytest.approx(between / spread, abs=1e-9)
    assert found.statistic == pytest.approx(found.effect * (values.size - 1), abs=1e-9)


@for_all(tables(), st.booleans())
def test_effects_are_bounded_and_blind_to_units_and_order(values, paired):
    found = metrics.rank_test(list(values.T), paired)
    again = metrics.rank_test(list(values.T[::-1] * 8), paired)
    assert 0 <= found.effect <= 1 and 0 <= found.p <= 1
    assert again.effect == pytest.approx(found.effect, abs=1e-9)
    assert again.p == pytest.approx(found.p, abs=1e-9)


def test_equal_groups_do_not_differ():
    for paired in (True, False):
        for k in (2, 3):
            found = metrics.rank_test([[0.1, 0.1, 0.1]] * k, paired)
            assert (found.p, found.effect) == (1, 0)


def test_a_paired_test_sees_what_an_unpaired_one_takes_for_noise():
    images = np.linspace(1, 100, 30)
    groups = [images, images + 0.1, images + 0.2]
    assert metrics.rank_test(groups, paired=True).p < 1e-9
    assert metrics.rank_test(groups, paired=False).p > 0.5


@for_all(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=8))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values):
    corrected = metrics.holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        ordered = sorted((p, i) for i, p in enumerate(p_values) if not np.isnan(p))
        for k, (p, i) in enumerate(ordered):
            if p * (len(ordered) - k) > level:
                break
            rejected.add(i)
        assert rejected == set(np.flatnonzero(corrected <= level))
    assert (np.isnan(corrected) == np.isnan(p_values)).all()


@for_all(tables(), st.integers(0, 99))
def test_eta_interval_is_the_loops(values, seed):
    etas = []
    for counts in resampling.counts(len(values), seed, 50):
        drawn = np.repeat(values, counts, axis=0)
        etas.append(metrics.one_way_anova(list(drawn.T)).eta_squared)
    interval = metrics.eta_squared_interval(list(values.T), seed, 50)
    if np.isnan(etas).any():
        return
    assert interval == pytest.approx(tuple(np.quantile(etas, [0.025, 0.975])), abs=1e-6)


@for_all(hnp.arrays(np.float64, st.integers(2, 12), elements=times), st.integers(0, 99))
def test_resampled_sums_and_medians_are_those_of_the_repeated_values(values, seed):
    drawn = resampling.counts(values.size, seed, 20)
    assert (drawn.sum(axis=1) == values.size).all()
    repeated = [np.repeat(values, counts) for counts in drawn]
    totals = resampling.totals(values[:, np.newaxis], seed, 20)[:, 0]
    assert totals == pytest.approx([items.sum() for items in repeated])
    medians = resampling.medians(values, seed, 20)
    repeated = [np.repeat(np.sort(values), counts) for counts in drawn]
    assert medians == pytest.approx([np.median(items) for items in repeated])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: metrics.one_way_anova([[1, 2]]), "expected two groups of two or more"),
        (lambda: metrics.one_way_anova([[1, 2], [1]]), r"groups: of \[2, 1\] numbers"),
        (lambda: metrics.one_way_anova([[1, 2], [1, np.nan]]), r"groups\[1\]: nan at \(1,\)"),
        (lambda: metrics.rank_test([[1, 2], [1, 2, 3]], True), "the same images in each"),
        (lambda: metrics.eta_squared_interval([[1, 2], [1, 2]], seed=-1), "seed: -1"),
        (lambda: metrics.holm([0.5, 2.0]), "p_values: .* from 0 to 1"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
