"""Kernels against the machine's roofline: the metric, the tables and the summary's line."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from deltann import metrics
from deltann.dataset import kernel_times
from deltann.summary import kernels
from deltann.summary.names import named
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    COPIES,
    NATIVE,
    PEAK,
    cell,
    compilation,
    failed,
    ran,
    study,
    timed,
)
from helpers.properties import for_all

COMPILED = cell("torch", "O4")
# By hand: 1 MB at 50 GB/s are 20 us, 1 Mflop at 100 GFLOP/s are 10 us.
NEAR = (1, 1.25e-5, 1e6, 1e4, 0.0)  # 80 % of its arithmetic's peak
FAR = (2, 8e-5, 1e5, 1e6, 0.0)  # two calls of 40 us for 20 us of memory: exactly half
SLOW = (2, 1e-4, 1e6, 1e4, 0.0)  # two calls of 50 us for 10 us of arithmetic
STREAM = (1, 3e-4, 0.0, 1e6, 0.0)  # 300 us for 20 us of memory
TINY = (1, 1e-6, 0.0, 4.0, 0.0)


def with_times(backend: str, **planted: tuple):
    """A compiled cell with these kernels."""
    where = cell("torch", backend)
    return ran(where, compiled=compilation(("FuseOps",)), timed=timed(**planted))


work = st.floats(0, 1e12)


@for_all(st.lists(st.tuples(st.integers(1, 9), work, work, st.floats(0, 1)), min_size=1))
def test_the_roofline_is_the_slower_of_arithmetic_and_memory(planted):
    calls, flops, bytes_ = (np.array([row[k] for row in planted], float) for k in range(3))
    constant = bytes_ * [row[3] for row in planted]
    found = metrics.roofline(calls, flops, bytes_, constant, PEAK, COPIES)

    def copied(size: float) -> float:
        """Along the logarithm of the size."""
        part = min(max(math.log(max(size, 1) / 1e6) / math.log(100), 0), 1)
        return 5e10 + part * (1e10 - 5e10)

    for k, number in enumerate(calls):
        others = bytes_[k] - constant[k]
        memory = others / copied(others) + constant[k] / copied(float(calls @ constant))
        least = number * max(flops[k] / PEAK, memory)
        assert found.seconds[k] == pytest.approx(least)
        assert found.by_memory[k] == (memory > flops[k] / PEAK)


def test_a_copy_of_few_bytes_is_no_limit():
    """It takes most of its time to start."""
    copies = [[1e8, 1e10], [1e4, 1e9], [1e6, 5e10]]
    found = metrics.bandwidth(copies, [0, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9])
    np.testing.assert_allclose(found, [5e10, 5e10, 5e10, 5e10, 3e10, 1e10, 1e10])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"calls": [1.0, 2.0]}, r"flops: shape \(1,\), expected \(2,\) as calls"),
        ({"flops": [-1.0]}, "flops: holds -1.0, expected numbers of at least 0"),
        ({"constant_bytes": [9.0]}, "constant_bytes: holds 9.0, expected at most bytes_"),
        ({"peak": 0.0}, "peak: 0.0, expected a positive number"),
        ({"copies": [[1.0, 0.0]]}, "copies: .* expected pairs of positive numbers"),
        ({"copies": [[1.0]]}, "copies: .* expected pairs of positive numbers"),
        ({"bytes_": [math.nan]}, r"bytes_: nan at \(0,\)"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    given = {"calls": [1.0], "flops": [1.0], "bytes_": [4.0], "constant_bytes": [0.0]}
    with pytest.raises(ValueError, match=message):
        metrics.roofline(**given | {"peak": PEAK, "copies": COPIES} | changes)


def test_compilations_name_the_worst_kernel(tmp_path):
    """The one that takes the most time of those below half; half isn't below."""
    cells = [
        ran(NATIVE),
        with_times("O0", near=NEAR, far=FAR),
        with_times("O4", near=NEAR, far=FAR, slow=SLOW, stream=STREAM, tiny=TINY),
        ran(cell("torch", "O2"), compiled=compilation(())),
        failed(cell("torch", "O3")),
    ]
    found = compute.table("compilations", Study(study(tmp_path, cells))).set_index("backend")
    total = 1000 * sum(item[1] for item in (NEAR, FAR, SLOW, STREAM, TINY))
    worst = found.loc["O4"]
    assert worst.kernels_ms == pytest.approx(total)
    assert worst.slow_percent == pytest.approx(100 * (0.1 + 0.3 + 0.001) / total)
    assert (worst.worst_kernel, worst.worst_limit) == ("stream", "GB/s")
    assert worst.worst_percent == pytest.approx(100 * 0.3 / total)
    assert worst.worst_rate == pytest.approx(1e6 / 3e-4 / 1e9)
    assert worst.worst_allowed == pytest.approx(50)
    assert found.slow_percent["O0"] == 0
    assert found.loc["O0"].filter(like="worst").isna().all()
    unknown = found.loc[["O2", "O3"]]
    assert unknown.filter(regex="worst|slow|_ms").isna().all(axis=None)


def test_the_kernels_that_take_the_most_time_have_a_row(tmp_path):
    cells = [ran(NATIVE), with_times("O4", slow=SLOW, stream=STREAM, tiny=TINY)]
    found = compute.table("kernels", Study(study(tmp_path, cells))).set_index("kernel")
    assert list(found.index) == ["stream", "slow", "tiny"] and set(found.backend) == {"O4"}
    slow = found.loc["slow"]
    assert (slow.calls, slow.limit) == (2, "GFLOP/s") and slow.ms == pytest.approx(0.1)
    assert slow.gflops == pytest.approx(20) and slow.allowed == pytest.approx(100)
    assert slow.gbytes == pytest.approx(0.2) and slow.roofline_percent == pytest.approx(20)
    (tmp_path / "many").mkdir()
    many = {f"k{number}": (1, 1e-5 * (1 + number), *TINY[2:]) for number in range(40)}
    where = ran(cell("torch", "O2"), compiled=compilation(()), timed=timed(**many))
    most = compute.table("kernels", Study(study(tmp_path / "many", [ran(NATIVE), where])))
    assert list(most.kernel) == [f"k{number}" for number in range(39, 9, -1)]
    assert found.share_percent["stream"] == pytest.approx(100 * 3e-4 / 4.01e-4)


def test_a_kernel_without_known_work_is_left_out():
    """TVM's machine runs functions of its own."""
    measured = {"flops": PEAK, "copies": COPIES, "kernels": {}}
    measured["kernels"] = {"own": {"calls": 1, "seconds": 1.23456e-5}, "foreign": {}}
    record = {"details": {"work": {"own": {"flops": 1.0, "bytes": 8.0, "constant_bytes": 0.0}}}}
    text = kernel_times.describe(record, measured)["kernel_times"]
    assert '"seconds": 1.235e-05' in text and "foreign" not in text
    assert kernel_times.describe({}, None) == {"kernel_times": ""}


def summary_lines(folder, *cells) -> list[str]:
    """What the summary says of kernels."""
    made = Study(study(folder, [ran(NATIVE), *cells]))
    return kernels.lines(named(compute.table("compilations", made), made))


def test_the_summary_names_the_worst_of_the_highest_level(tmp_path):
    (line,) = summary_lines(
        tmp_path,
        with_times("O0", stream=STREAM),
        with_times("O4", near=NEAR, far=FAR, slow=SLOW, stream=STREAM),
    )
    assert line == (
        "Kernels at O4, schedule rules: for torch on cpu, 81 % of the time is in those below half "
        "of what the machine's roofline allows; the worst is stream, with 61 % of the time, at "
        "3.33 of 50 GB/s (tables/kernels.csv)"
    )


def test_the_summary_has_a_line_for_each_schedule(tmp_path):
    where = cell("torch", "O4", device="gpu")
    more = {"compiled": compilation(()), "timed": timed(near=NEAR, slow=SLOW)}
    plain = cell("torch", "O4", schedule="none")
    lines = summary_lines(
        tmp_path,
        with_times("O4", near=NEAR),
        ran(where, **more),
        ran(plain, compiled=compilation(()), timed=timed(near=NEAR, far=FAR)),
    )
    rules = "allows, the most of 2 compilations (least 0 %); the worst is slow, with 89 % of"
    assert len(lines) == 2 and rules in lines[0] and "at 20 of 100 GFLOP/s" in lines[0]
    assert ": for torch on gpu, 89 % of the time" in lines[0]
    assert lines[1] == (
        "Kernels at O4, schedule none: none is below half of what the machine's roofline allows, "
        "in 1 compilation"
    )


def test_the_summary_prefers_cells_that_were_not_disturbed(tmp_path):
    def on(device: str, **changes):
        where = cell("torch", "O4", device=device)
        return ran(where, compiled=compilation(()), timed=timed(slow=SLOW), **changes)

    (line,) = summary_lines(tmp_path, on("cpu", probe_drift=2.0), on("other"))
    assert "schedule rules: for torch on other, 100 %" in line
    (tmp_path / "all").mkdir()
    (line,) = summary_lines(tmp_path / "all", on("cpu", probe_drift=2.0))
    assert "schedule rules (disturbed timings): for torch on cpu, 100 %" in line


def test_the_summary_says_nothing_of_kernels_that_were_not_timed(tmp_path):
    assert summary_lines(tmp_path, ran(COMPILED, compiled=compilation(()))) == []


def test_the_summary_clips_a_long_name(tmp_path):
    long = "fused_packed_conv2d_" + "add_" * 20
    (line,) = summary_lines(tmp_path, with_times("O4", **{long: SLOW}))
    assert f"the worst is {long[:48]} …, with 100 %" in line
