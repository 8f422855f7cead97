"""Speedups and latency ratios against the paper's numbers, loops and closed forms."""

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deltann import metrics
from helpers.properties import for_all

seconds = st.floats(1e-4, 10.0)


@st.composite
def latency_pairs(draw, min_images=1):
    n = draw(st.integers(min_images, 6))
    return tuple(
        draw(hnp.arrays(np.float64, (n, draw(st.integers(1, 5))), elements=seconds))
        for _ in range(2)
    )


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
