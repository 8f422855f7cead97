"""The frontier of time and agreement: by its definition, in its table, and as it is drawn."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from deltann import metrics
from deltann.figures import latency, pareto, style
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    CLASSES,
    IMAGES,
    NATIVE,
    REPEATS,
    cell,
    failed,
    lowered,
    many,
    ran,
    study,
)
from helpers.properties import for_all

RUNTIME = {"importer": "none", "compiler": "runtime", "schedule": "runtime"}
# Few values, so that ties of one and of both are frequent.
points = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20)


@pytest.fixture(autouse=True)
def print_style():
    style.use()


def frontier(points) -> list[bool]:
    """By the definition: no other point is as good in both, and better in one."""
    return [
        not any(c <= cost and g >= gain and (c < cost or g > gain) for c, g in points)
        for cost, gain in points
    ]


@for_all(points)
def test_the_frontier_is_what_no_other_point_beats_in_any_order_and_unit(points):
    cost, gain = np.array(points, float).T
    found = metrics.pareto_frontier(cost, gain)
    assert found.tolist() == frontier(points) and found.any()
    turned = metrics.pareto_frontier(7 * cost[::-1] - 3, gain[::-1] / 100)
    assert turned.tolist() == found[::-1].tolist()


@pytest.mark.parametrize(
    ("costs", "gains", "message"),
    [
        ([], [], "costs: shape"),
        ([1.0], [np.nan], r"gains: nan at \(0,\)"),
        ([1.0, 2.0], [1.0], r"gains: shape \(1,\), expected \(2,\) as costs"),
        ([[1.0]], [[1.0]], "costs: shape .* expected 1 dimension"),
    ],
)
def test_points_that_make_no_sense_are_refused(costs, gains, message):
    with pytest.raises(ValueError, match=message):
        metrics.pareto_frontier(costs, gains)


def timed(where, milliseconds, changed=0, precision="float32", images=IMAGES, **changes):
    """A cell with a time, that answers another label on the first images."""
    logits = np.eye(images, CLASSES, dtype=np.float32)
    logits[:, 0] += 0.5  # so that images beyond the classes have an answer too
    logits[:changed, CLASSES - 1] = 2
    latency = np.full((images, REPEATS), milliseconds / 1000)
    return ran(
        where,
        images,
        logits=logits,
        latency=latency,
        lowered=lowered(precision),
        true_label=np.full(images, -1),
        **changes,
    )


def on_route(*edges, target="onnx", backend="native", **names):
    runtime = {} if backend.startswith("O") else RUNTIME
    return cell(target, backend, route="+".join(edges), **runtime, **names)


def small(folder):
    """Six cells of which three are on the frontier, and two that failed."""
    return study(
        folder,
        [
            timed(NATIVE, 10),
            timed(on_route("a"), 4),
            timed(on_route("a", backend="O4"), 5, probe_drift=1.5),
            timed(on_route("a", "int8"), 2, 1, "int8"),
            timed(on_route("a", "int8", backend="O4"), 3, 1, "int8"),
            timed(on_route("a", "dynamic"), 1, 4, "int8-dynamic"),
            timed(on_route("a", preprocessing="target"), 4, 5),
            failed(on_route("b", target="keras")),
            failed(on_route("b", target="keras", backend="O4")),
        ],
    )


def wide(folder, cells=80, images=50, devices=("cpu", "gpu", "phone")):
    """Many cells of five precisions on several devices."""
    rng = np.random.default_rng(0)
    made = [timed(cell("torch", device=device), 20, images=images) for device in devices]
    kinds = ("float32", "int8", "bfloat16", "float16", "mixed")
    for number, device in product(range(cells // len(devices)), devices):
        kind = kinds[number % len(kinds)]
        changed = 0 if kind == "float32" else int(rng.integers(0, images // 2))
        where = on_route("torch_onnx", f"edge{number}", device=device)
        made.append(timed(where, 20 * rng.uniform(0.05, 3), changed, kind, images=images))
    return study(folder, made)


@pytest.fixture(scope="module")
def wide_table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    return drawn(wide(folder), folder)


@pytest.fixture(scope="module")
def long_table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    return drawn(wide(folder, cells=90, images=100, devices=("cpu",)), folder)


def drawn(dataset, folder):
    """The table `pareto`, as a figure gets it."""
    with dataset:
        compute.table("pareto", Study(dataset)).to_csv(folder / "pareto.csv", index=False)
    return pd.read_csv(folder / "pareto.csv")


def test_the_table_has_a_frontier_per_reference(tmp_path):
    table = drawn(small(tmp_path), tmp_path)
    assert list(table.differing[:7]) == [0, 0, 0, 1, 1, 4, 5]
    ran_ = table[table.status == "ok"]
    assert list(ran_.agreement_percent) == pytest.approx(100 * (1 - ran_.differing / IMAGES))
    assert list(ran_.frontier) == [0, 1, 0, 1, 0, 1, 0]
    assert set(table.reference) == {NATIVE.path}
    assert table[table.status == "failed"].frontier.isna().all()
    quantized = table.iloc[3]
    ends = 100 - np.array(metrics.wilson_interval(1, IMAGES))[::-1]
    assert (quantized.percent_low, quantized.percent_high) == pytest.approx(tuple(ends))
    assert table.percent_low.isna()[0] and table.outcome[0] == "reference"


def test_other_devices_resizers_and_sources_have_frontiers_of_their_own(tmp_path):
    table = drawn(many(tmp_path), tmp_path)
    table = table[table.agreement_percent.notna()]
    assert table.reference.nunique() == 3  # of torch by two resizers, and of keras
    for _, group in table.groupby("reference"):
        found = list(zip(group.median_ms, group.agreement_percent, strict=True))
        assert list(group.frontier == 1) == frontier(found)


def texts(page) -> list[str]:
    """All that is written in a page's panels, but the axes' own."""
    return [text.get_text() for axes in page.axes for text in axes.texts]


def marks(axes) -> dict[tuple[float, float], str]:
    """The places of a panel's marks in milliseconds and inches from the top, with their shape."""
    lines = [line for bar in axes.containers for line in [bar.lines[0]]]
    return {(*line.get_xdata(), *line.get_ydata()): line.get_marker() for line in lines}


def test_the_figure_draws_every_cell_that_ran_and_names_the_frontier(tmp_path):
    table = drawn(small(tmp_path), tmp_path)
    (page,) = pareto.draw(table)
    panel = page.axes[1]
    assert sorted(x for x, _ in marks(panel)) == [1, 2, 3, 4, 4, 5, 10]
    assert len(set(marks(panel).values())) == 3  # a shape per precision
    assert [label.get_text() for label in panel.get_yticklabels()] == ["0", "1", "4", "5"]
    said = texts(page)
    assert "onnx native: 4.00 ms" in said
    assert "onnx native, int8 (int8): 2.00 ms" in said
    assert "onnx native, int8-dynamic (dynamic): 1.00 ms" in said
    assert len([text for text in said if text.endswith(" ms")]) == 3
    (note,) = (text for text in said if "failed" in text)
    assert note.startswith("2 cells failed (not drawn): keras native, at convert; keras O4")
    hollow = [bar for bar in panel.containers if bar.lines[0].get_markerfacecolor() == "white"]
    assert [bar.lines[0].get_xdata()[0] for bar in hollow] == [5]
    (step,) = (line for line in panel.lines if line.get_drawstyle() == "steps-post")
    assert list(step.get_xdata())[:3] == [1, 2, 4]
    assert list(step.get_ydata()) == sorted(step.get_ydata(), reverse=True)


def test_nothing_overlaps_in_print(wide_table):
    places = 0
    for page in pareto.draw(wide_table):
        assert page.get_figheight() < 13
        page.canvas.draw()
        for axes in page.axes:
            names = [text.get_window_extent() for text in axes.texts if "ms" in text.get_text()]
            spots = [axes.transData.transform(place) for place in marks(axes)]
            places += len(spots)
            inches = [np.hypot(*(a - b)) / page.dpi for a, b in combinations(spots, 2)]
            assert min(inches, default=1) > 0.08  # a mark is as wide
            assert not [1 for a, b in combinations(names, 2) if a.overlaps(b)]
            assert not [spot for spot in spots for name in names if name.padded(4).contains(*spot)]
            assert all(axes.bbox.x0 < name.x0 and name.x1 < axes.bbox.x1 for name in names)
    assert places == len(wide_table)


def test_many_counts_of_labels_share_rows_in_order(long_table):
    (page,) = pareto.draw(long_table)
    names = [label.get_text() for label in page.axes[1].get_yticklabels()]
    assert len(names) <= len(pareto.STEPS) and "0" in names
    ends = [int(end) for name in names for end in name.split(" to ")]
    assert ends == sorted(ends) and set(ends) <= set(long_table.differing)


def test_a_study_without_a_reference_says_so(tmp_path):
    table = drawn(study(tmp_path, [failed(NATIVE), timed(on_route("a"), 3)]), tmp_path)
    (page,) = pareto.draw(table)
    assert "Nothing to draw" in page.get_supxlabel()
    (page,) = latency.draw(table)
    assert "3.00" in texts(page)
    beside = drawn(small(tmp_path), tmp_path)
    (page,) = pareto.draw(pd.concat([beside, table.assign(model="n", reference="n")]))
    assert "Not drawn: 2 cells whose reference failed" in " ".join(page.get_supxlabel().split())


def rows(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def test_times_show_every_cell_by_target_from_the_fastest(tmp_path):
    (page,) = latency.draw(drawn(small(tmp_path), tmp_path))
    panel = page.axes[1]
    assert rows(panel) == [
        "torch",
        "native",
        "onnx",
        "native, int8-dynamic (dynamic)",
        "native, int8 (int8)",
        "O4, int8 (int8)",
        "native",
        "native (target's preprocessing)",
        "O4",
        "keras",
        "native",
        "O4",
    ]
    said = texts(page)
    for text in ("1.00   4 of 6", "2.00   1 of 6", "4.00", "5.00", "10.0"):
        assert text in said
    assert said.count("convert failed") == 2
    assert len(set(marks(panel).values())) == 3  # the reference, the same, other labels


def test_times_say_where_only_the_logits_differ(tmp_path):
    logits = np.eye(IMAGES, CLASSES, dtype=np.float32) * np.float32(1.01)
    made = [ran(NATIVE), ran(on_route("a"), logits=logits)]
    (page,) = latency.draw(drawn(study(tmp_path, made), tmp_path))
    shapes = [latency.LOOKS[name][1] for name in ("reference", "logits differ")]
    assert sorted(marks(page.axes[1]).values()) == sorted(shapes)


def test_times_of_several_devices_have_panels_and_pages(wide_table):
    pages = list(latency.draw(wide_table))
    assert len(pages) > 1 and all(page.get_figheight() < 13 for page in pages)
    headings = [axes.get_title(loc="left") for page in pages for axes in page.axes[1:]]
    assert {heading.split("on ")[-1] for heading in headings} == {"cpu", "gpu", "phone"}
    spots = [place for page in pages for axes in page.axes for place in marks(axes)]
    assert len(spots) == len(wide_table)


def test_a_long_list_of_cells_goes_on_under_its_target_on_the_next_page(long_table):
    pages = list(latency.draw(long_table))
    assert len(pages) == 3
    titles = [page.axes[1].get_title(loc="left") for page in pages]
    assert titles == ["m from torch", *["m from torch (continued)"] * 2]
    assert [rows(page.axes[1])[0] for page in pages] == ["torch", "onnx", "onnx"]
    assert sum(len(marks(page.axes[1])) for page in pages) == len(long_table)


def test_names_of_routes_have_only_the_edges_that_others_lack():
    table = pd.DataFrame({"route": ["a", "a+q", "a+x+q"], "backend": ["native", "O4", "O4"]})
    table = table.assign(model="m", source="s", target="t", preprocessing="source")
    table = table.assign(importer="direct", compiler="tvm", schedule="rules", precision="int8")
    names = latency.Names(table)
    assert [names.without_target(row) for _, row in table.iterrows()] == [
        "native",
        "O4 (q)",
        "O4 (x + q)",
    ]
