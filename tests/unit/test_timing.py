"""What the machine did to a timing: seen where it harms, and not where it doesn't."""

import numpy as np
import pytest

from deltann.dataset import aggregate
from deltann.stages import disturbance, infer_child
from deltann.stages.disturbance import Demand, Usage

TOLERANCES = aggregate.Tolerances(drift=0.15, contention=0.05)

# Seconds of own, machine's, stolen and waited processor time, and whether others did harm.
CASES = {
    # measured: a model 200 times by ONNX Runtime on two cores, a run in 9.4, 19 and 42 ms
    "one thread, the other core held": (1.89, 3.84, 0.0, 0.035, False),
    "one thread, both cores held": (1.87, 7.73, 0.0, 1.997, True),
    "two threads, both cores held": (3.97, 17.52, 0.05, 13.618, True),
    # made up
    "four threads on two cores that wait for each other": (8.0, 8.1, 0.0, 7.5, False),
    "a host that gives a third of the time to others": (2.0, 2.02, 1.0, 0.01, True),
    "nothing else": (1.89, 1.91, 0.0, 0.005, False),
}


def spent(own: float, machine: float, stolen: float, waited: float) -> float:
    """The contention of a process that spent so many seconds, by one thread of two that wait."""
    before = Usage(10.0, 500.0, 7.0, {"1": 3.0, "2": 0.25})
    after = Usage(10 + own, 500 + machine, 7 + stolen, {"1": 3 + waited, "2": 0.25})
    return disturbance.contention([disturbance.demand(before, after)])


@pytest.mark.parametrize("name", CASES)
def test_contention_is_seen_where_it_harms(name):
    *seconds, harmed = CASES[name]
    share = spent(*seconds)
    assert 0 <= share < 1
    assert TOLERANCES.exceeded(1.0, share, 1.0) == harmed


def test_contention_is_the_share_that_others_had():
    assert spent(own=1, machine=4, stolen=0, waited=1) == pytest.approx(0.5)
    assert spent(own=1, machine=1.5, stolen=0, waited=3) == pytest.approx(1 / 3)
    assert spent(own=1, machine=0.99, stolen=0, waited=1) == 0  # the clocks' resolutions differ
    assert spent(own=0, machine=0, stolen=0, waited=0) == 0


def test_a_thread_that_began_meanwhile_counts():
    before, after = Usage(0, 0, 0, {"1": 5.0}), Usage(1, 3, 0, {"1": 5.0, "9": 1.0})
    assert disturbance.contention([disturbance.demand(before, after)]) == pytest.approx(0.5)


def test_contention_of_several_parts_is_that_of_their_sum():
    assert disturbance.contention([Demand(3.0, 0.0), Demand(1.0, 0.4)]) == pytest.approx(0.1)
    assert np.isnan(disturbance.contention([Demand(3.0, 0.0), disturbance.UNKNOWN]))


def test_the_drift_is_from_the_session_that_differs_most():
    assert disturbance.drift([0.010], 0.011) == pytest.approx(1.1)
    assert disturbance.drift([0.010, 0.008, 0.011], 0.011) == pytest.approx(1.375)


def test_unknown_contention_flags_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(disturbance, "TASKS", tmp_path / "none")
    share = disturbance.contention([disturbance.demand(disturbance.usage(), disturbance.usage())])
    assert np.isnan(share)
    assert not TOLERANCES.exceeded(1.0, share, 1.0)
    assert TOLERANCES.exceeded(1.2, share, 1.0)


def test_a_drift_either_way_flags():
    assert TOLERANCES.exceeded(1.16, 0.0, 1.0) and TOLERANCES.exceeded(0.84, 0.0, 1.0)
    assert not TOLERANCES.exceeded(1.14, 0.0, 1.0)
    assert not TOLERANCES.exceeded(float("nan"), float("nan"), float("nan"))


def test_passes_that_are_slower_than_the_fastest_flag():
    latency = np.full((20, 5), 0.005)
    latency[:, [0, 4]] *= 1.9  # as measured: two of five passes at half the speed
    assert disturbance.pass_spread([latency]) == 1
    latency[:, 1] *= 1.16
    assert disturbance.pass_spread([latency]) == pytest.approx(1.16)
    assert TOLERANCES.exceeded(1.0, 0.0, disturbance.pass_spread([latency]))
    assert not TOLERANCES.exceeded(1.0, 0.0, 1.14)
    assert disturbance.pass_spread([latency[:, :1]]) == 1


def test_each_part_of_many_images_has_its_own_passes():
    latency = np.full((1000, 3), 0.005)
    latency[500:] *= 1.4  # the second half was timed while the machine was slow
    latency[:500, 2] *= 1.4
    assert disturbance.pass_spread([latency[:500], latency[500:]]) == pytest.approx(1.4)


def test_warm_up_lasts_and_has_two_runs_at_least(monkeypatch):
    images = np.arange(3)
    monkeypatch.setattr(infer_child, "WARM_UP_SECONDS", 0.0)
    ran = []
    infer_child.warm_up(ran.append, images)
    assert ran == [0, 1]
    infer_child.warm_up(ran.append, images[:1])
    assert ran == [0, 1, 0, 0]
    monkeypatch.setattr(infer_child, "WARM_UP_SECONDS", 0.05)
    ran.clear()
    infer_child.warm_up(ran.append, images)
    assert ran[:4] == [0, 1, 2, 0] and len(ran) > 100
