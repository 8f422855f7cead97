"""What must hold for every page of every figure: legible, whole, and no more than the data have."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from deltann import figures, registry
from deltann.figures import heatmaps, style, time_axis
from deltann.tables import compute
from deltann.tables.study import Study
from helpers import planted_studies
from helpers.made_up_cells import many, passes_study

SLACK = 1.0  # pixels
PAGES = 3  # of a figure, which are looked at


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The tables of five planted studies, by name."""
    style.use()
    made = {
        name: planted_studies.tables(tmp_path_factory.mktemp(name), make())
        for name, make in (
            ("calm", planted_studies.calm),
            ("quantized", planted_studies.quantized),
            ("levels", planted_studies.levels),
        )
    }
    made["paper"] = planted_studies.of_the_papers_size(made.pop("levels"))
    return made


def pages(name: str, table: pd.DataFrame) -> Iterator[Figure]:
    """The first pages of a figure, laid out."""
    for number, page in enumerate(figures.get(name).draw(table)):
        if number == PAGES:
            return
        page.set_dpi(100)
        FigureCanvasAgg(page).draw()
        yield page


def written(page: Figure) -> list[Text]:
    """All texts of a page that are visible and not empty."""
    found = [text for text in page.findobj(Text) if text.get_visible() and text.get_text().strip()]
    labels = [label for axes in page.axes for label in hidden_labels(axes)]
    return [text for text in found if text not in labels]


def hidden_labels(axes: Axes) -> list[Text]:
    """The labels of ticks that an axes doesn't draw: outside its limits, or switched off."""
    if not axes.axison:
        return [*axes.get_xticklabels(), *axes.get_yticklabels()]
    hidden = []
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        low, high = sorted(limits)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            inside = low - 1e-9 <= tick.get_loc() <= high * (1 + 1e-9) + 1e-9
            for label, on in (
                (tick.label1, tick.label1.get_visible()),
                (tick.label2, tick.label2.get_visible()),
            ):
                if not (inside and on):
                    hidden.append(label)
    return hidden


def faults(page: Figure) -> list[str]:
    """What is wrong with a page's texts."""
    texts = written(page)
    boxes = np.array([text.get_window_extent().extents for text in texts])
    said = [f"{text.get_fontsize():.1f} pt: {text.get_text()!r}" for text in texts]
    width, height = page.get_size_inches() * page.dpi
    found = [
        f"too small, {label}"
        for text, label in zip(texts, said, strict=True)
        if text.get_fontsize() < style.SMALLEST - 1e-9
    ]
    left, bottom, right, top = boxes.T
    outside = (left < -SLACK) | (bottom < -SLACK) | (right > width + SLACK) | (top > height + SLACK)
    found += [f"outside the page, {said[number]}" for number in np.flatnonzero(outside)]
    across = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    along = np.minimum(top[:, None], top) - np.maximum(bottom[:, None], bottom)
    overlaps = np.argwhere(np.triu((across > SLACK) & (along > 2 * SLACK), 1))
    return found + [f"overlap, {said[a]} and {said[b]}" for a, b in overlaps]


def handles(page: Figure) -> list:
    legends = page.findobj(Legend)
    return [handle for legend in legends for handle in legend.legend_handles]


def marks(page: Figure) -> set[tuple[str, str, bool]]:
    """Colour, marker and whether it is filled, of all marks outside legends."""
    return {
        look(line)
        for axes in page.axes
        for line in axes.lines
        if line.get_marker() not in ("None", "", None) and len(line.get_xdata())
    }


def look(line: Line2D) -> tuple[str, str, bool]:
    filled = to_hex(line.get_markerfacecolor()) != "#ffffff"
    return to_hex(line.get_color()), str(line.get_marker()), filled


def hatched(page: Figure) -> bool:
    return any(patch.get_hatch() for axes in page.axes for patch in axes.patches)


def check_legend(page: Figure) -> None:
    """Each entry of a legend has its mark on the page, and hatched rows have their entry."""
    drawn, entries = marks(page), handles(page)
    for entry in entries:
        label = entry.get_label()
        if isinstance(entry, Patch):
            shown = {(bool(p.get_hatch()), to_hex(p.get_facecolor())) for p in patches(page)}
            assert (bool(entry.get_hatch()), to_hex(entry.get_facecolor())) in shown, label
        elif entry.get_marker() not in ("None", "", None):
            colour, marker, filled = look(entry)
            general = {(marker if label != "disturbed" else "", full) for _, marker, full in drawn}
            if label == "disturbed":
                assert ("", False) in general, label
            elif colour == "#000000" and (colour, marker, filled) not in drawn:
                assert (marker, filled) in general or "reference" in label, label
            else:
                assert (colour, marker) in {mark[:2] for mark in drawn}, label
    if entries:
        assert hatched(page) == any(
            isinstance(entry, Patch) and bool(entry.get_hatch()) for entry in entries
        )


def patches(page: Figure) -> list[Patch]:
    return [patch for axes in page.axes for patch in axes.patches]


@pytest.mark.parametrize("name", registry.figures())
@pytest.mark.parametrize("study", ["calm", "quantized", "paper"])
def test_pages_are_whole_and_legible_and_their_legends_true(study, name, studies):
    for page in pages(name, studies[study][registry.figures()[name].table]):
        assert faults(page) == []
        check_legend(page)
        assert page.get_figwidth() <= style.WIDTH and page.get_figheight() < 9.8
        caption = page.get_supxlabel()
        if not caption.startswith("Nothing to draw"):
            assert "images" in caption and "interval" in caption
        if study == "calm":
            assert not hatched(page)
            said = " ".join([caption, *(entry.get_label() for entry in handles(page))]).lower()
            assert not [word for word in ("fail", "hatch", "disturbed", "hollow") if word in said]


def test_the_passes_and_a_mixed_study_are_legible_too(tmp_path):
    for make, name in ((passes_study, "passes"), (many, "devices"), (many, "inputs")):
        folder = tmp_path / name
        folder.mkdir()
        with make(folder) as dataset:
            table = compute.table(name, Study(dataset))
        table.to_csv(folder / "table.csv", index=False)
        for page in pages(name, pd.read_csv(folder / "table.csv")):
            assert faults(page) == []
            check_legend(page)


def test_eight_devices_have_eight_looks_beside_the_published_ones(studies):
    table = studies["paper"]["published"]
    entries = [entry for page in pages("published", table) for entry in handles(page)]
    here = {entry.get_label(): look(entry) for entry in entries if "here: " in entry.get_label()}
    assert list(here) == [f"here: {name}" for name in planted_studies.DEVICES]
    assert len(set(here.values())) == len(here)
    rows = [label.get_text() for page in pages("published", table) for label in row_labels(page)]
    assert rows and all(name.startswith("MobileNetV2") for name in rows)


@pytest.mark.parametrize("times", [5, 25, 500])
def test_published_speedups_have_ticks_apart_beside_a_large_one(studies, times):
    table = studies["paper"]["published"].copy()
    measured = table.index[table["speedup_percent"].notna()][0]
    table.loc[measured, ["speedup_percent", "percent_low", "percent_high"]] = 100.0 * times
    for page in pages("published", table):
        for axes in page.axes:
            labels = [label for label in axes.get_xticklabels() if label in written(page)]
            boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
            assert all(right.x0 - left.x1 > 3 for left, right in pairwise(boxes))  # pixels


def test_published_speedups_show_whole_intervals(studies):
    table = studies["paper"]["published"].copy()
    measured = table.index[table["speedup_percent"].notna()][0]
    table.loc[measured, ["percent_low", "percent_high"]] = -99.0, 50_000.0
    for page in pages("published", table):
        low, high = next(axes for axes in page.axes if axes.get_xscale() == "log").get_xlim()
        assert low < 0.01 and high > 501


@pytest.mark.parametrize("middle", [0.0015, 10, 70_000])
def test_a_time_with_a_wide_interval_is_written_inside_its_panel(studies, middle):
    table = studies["paper"]["pareto"].copy()
    drawn = table.index[table["median_ms"] > 0][0]
    table.loc[drawn, ["ms_low", "median_ms", "ms_high"]] = 0.001, middle, 100_000
    for page in pages("latency", table):
        for axes in page.axes:
            frame = axes.get_window_extent()
            boxes = [text.get_window_extent() for text in axes.texts if text in written(page)]
            assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)


def row_labels(page: Figure) -> list[Text]:
    return [
        label for axes in page.axes for label in axes.get_yticklabels() if label in written(page)
    ]


def test_times_of_frameworks_say_in_which_convention_their_cells_ran(studies):
    table = studies["calm"]["frameworks"]
    titles = [
        axes.get_title(loc="left")
        for page in pages("frameworks", table)
        for axes in page.axes
        if axes.get_title(loc="left")
    ]
    assert titles == [
        "lite0, converted from torch; cells with source's preprocessing",
        "lite0, converted from torch; cells with imagenet convention",
    ]


def test_cells_without_a_reference_are_counted_and_not_drawn(studies):
    table = studies["calm"]["frameworks"]
    (page,) = pages("frameworks", table)
    assert "Not drawn: 2 cells without a reference." in " ".join(page.get_supxlabel().split())
    assert "openvino-float32" not in [entry.get_label() for entry in handles(page)]


@pytest.mark.parametrize("study", ["calm", "quantized"])
def test_squares_with_equal_texts_have_equal_colours(study, studies):
    seen = set()
    for page in pages("backends", studies[study]["conversions"]):
        for axes in page.axes:
            colours = {
                (patch.get_x() + 0.5, patch.get_y() + 0.5): to_hex(patch.get_facecolor())
                for patch in axes.patches
            }
            by_text: dict[str, set[str]] = {}
            for text in axes.texts:
                if text.get_text()[:1].isdigit():
                    place = text.get_position()
                    by_text.setdefault(text.get_text(), set()).add(colours[place])
            assert all(len(found) == 1 for found in by_text.values()), by_text
            seen |= set(by_text)
    assert {"2e-5", "3e-5"} & seen


def test_no_name_is_cut(studies):
    for name, figure in registry.figures().items():
        for page in pages(name, studies["quantized"][figure.table]):
            assert not [text.get_text() for text in written(page) if "…" in text.get_text()]


def test_a_study_of_one_device_and_one_route_names_neither(studies):
    for name in ("backends", "frameworks", "speedups"):
        table = studies["calm"][registry.figures()[name].table]
        for page in pages(name, table):
            said = [text.get_text() for text in written(page)]
            assert not [text for text in said if "cpu" in text or "torch_onnx" in text]


def test_a_number_that_fits_alone_is_written_without_its_interval():
    grid = heatmaps.Grid(["a"], ["x", "y", "z"])
    grid.values, grid.texts = {("a", "x"): 5.0}, {("a", "x"): "5.0\n[0.9, 24]", ("a", "z"): "same"}
    grid.failures = {("a", "y"): "conversion\nfailed"}
    for width, expected in (
        (1.0, ["5.0\n[0.9, 24]", "conversion\nfailed", "same"]),
        (0.28, ["5.0", "", "same"]),
        (0.02, ["", "", ""]),
    ):
        axes = Figure().subplots()
        heatmaps.heatmap(axes, grid, style.SEQUENTIAL, Normalize(0, 10), width)
        assert [text.get_text() for text in axes.texts] == expected


@pytest.mark.parametrize(
    ("value", "text"), [(1290.4, "1290"), (123456, "123000"), (2.5, "2.50"), (12.04, "12.0")]
)
def test_times_beside_marks_have_no_exponent(value, text):
    assert time_axis.milliseconds(pd.Series({"median_ms": value})) == text
