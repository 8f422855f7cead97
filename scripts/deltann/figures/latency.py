"""Milliseconds per image of every cell, coloured by whether its answers stayed the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from deltann.cell import COMPILATION, SOURCE
from deltann.figures import dots, pages, style
from deltann.images import conventions
from deltann.tables import variant_names
from deltann.tables.comparisons import IDENTICAL, LABELS, LOGITS
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.routes import REFERENCE
from deltann.tables.siblings import in_common

TABLE = "pareto"
CAPTION = (
    "Milliseconds per image at batch 1 of every cell, on a log scale, with 95 % bootstrap "
    "intervals over images. Colour and marker: whether the answers are those of the unconverted "
    "model in its own framework's runtime."
)
TITLE = "How long each way of running the model takes, and whether it still answers the same"
# Per outcome: colour, marker and what the legend says.
LOOKS = {
    REFERENCE: ("#000000", "D", "the reference"),
    IDENTICAL: (style.COLOURS[0], "o", "same labels, same logits"),
    LOGITS: (style.COLOURS[4], "s", "same labels, logits differ"),
    LABELS: (style.COLOURS[5], "^", "labels changed, and on how many images"),
    NO_REFERENCE: ("#888888", "v", "no reference"),
}
ROW, LEGEND = 0.18, 0.4  # inches
HEIGHT = pages.HEIGHT - pages.CAPTION - LEGEND
ACROSS = 2  # panels side by side
ROWS = 37  # on a page
LETTERS = 42  # of a row's name
MORE = " (continued)"


class Names(variant_names.Variants):
    """Short names of cells: `Variants`, but a route is named by what the pair's others lack."""

    def __init__(self, table: pd.DataFrame) -> None:
        super().__init__(table)
        self._shared: dict[tuple[str, str], tuple[int, int]] = {}
        for (source, target), group in table.groupby(["source", "target"], sort=False):
            edges = [route.split("+") for route in group["route"].unique()]
            first = in_common(edges)
            self._shared[source, target] = first, in_common(one[first:][::-1] for one in edges)
        self._precisions = table["precision"].nunique() > 1

    def route(self, row: pd.Series) -> str:
        """The edges that the pair's other routes lack; empty for the plain one."""
        if not super().route(row):
            return ""
        edges = row["route"].split("+")
        first, last = self._shared[row["source"], row["target"]]
        return " + ".join(edges[first : len(edges) - last])

    def without_target(self, row: pd.Series) -> str:
        """What tells a cell from others of its target: `O4, int8 (ort_static)`."""
        precise = self._precisions and isinstance(row["precision"], str)
        name = row["backend"] + (f", {row['precision']}" if precise else "")
        details = self.details(row)
        if row["preprocessing"] != SOURCE:
            words = conventions.in_words(row["preprocessing"])
            details.append(words.removeprefix("the ").removesuffix(" convention"))
        return name + (f" ({', '.join(details)})" if details else "")


@dataclass
class Section:
    """Panels side by side, one per device, that share their rows.

    Attributes:
        title: of the section, above the first panel.
        rows: the rows from the top: a key and a name; a heading's key is None.
        table: the cells, with the columns `key` and `where`, which names the device if need be.
        devices: the panels, from the left.
        limits: of the axis, in milliseconds.
    """

    title: str
    rows: list[tuple[str | None, str]]
    table: pd.DataFrame
    devices: list[str]
    limits: tuple[float, float]

    @property
    def height(self) -> float:
        """Inches, including title and axis."""
        return 0.75 + ROW * len(self.rows)


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, source and resizer, a panel per device, a row per cell, by target.

    Args:
        table: `pareto.csv`, one row per cell.
    """
    if table.empty:
        return pages.nothing(TITLE, "the study has no cell.")
    names = Names(table)
    keyed = ["target", "route", "preprocessing", *COMPILATION, "backend"]
    table = table.assign(
        name=table.apply(names.without_target, axis=1),
        key=table[keyed].agg("/".join, axis=1),
        where=("on " + table["device"]) if table["device"].nunique() > 1 else "",
    )
    items: list[Section] = []
    for shared, rows in variant_names.groups(table, ["model", "source", "resizer"]):
        title = variant_names.title(table, shared)
        devices = style.ordered(rows["device"])
        for start in range(0, len(devices), ACROSS):
            chosen = devices[start : start + ACROSS]
            items += _sections(title, rows[rows["device"].isin(chosen)], chosen)
    caption = (
        f"Milliseconds per image at batch 1, over {style.images(table)}, on a log scale; each "
        "target's cells from the fastest. Bars: 95 % bootstrap interval over images (often smaller "
        "than the mark), without the variation between runs. The reference is the unconverted "
        "model in its own framework's runtime. Same logits: every logit within 0.0001 of the "
        "image's largest. Native: the target's own runtime as it comes. Hollow: the timing was "
        "disturbed. Hatched: failed, with the stage."
    )
    return (_page(page, caption) for page in pages.paginate(items, HEIGHT))


def _sections(title: str, table: pd.DataFrame, devices: list[str]) -> Iterator[Section]:
    """The sections of a model's cells, each of at most `ROWS` rows."""
    limits = ms_limits(table)
    rows: list[tuple[str | None, str]] = []
    for target in style.ordered(table["target"]):
        group = table[table["target"] == target].sort_values("median_ms", kind="stable")
        cells = list(dict.fromkeys(zip(group["key"], group["name"], strict=True)))
        for number, cell in enumerate(cells):
            if len(rows) >= ROWS or (rows and not number and len(rows) + 3 > ROWS):
                yield Section(title, rows, table, devices, limits)
                title, rows = f"{title.removesuffix(MORE)}{MORE}", []
            if not rows or not number:
                rows.append((None, target))
            rows.append(cell)
    yield Section(title, rows, table, devices, limits)


def _page(items: list[Section], caption: str) -> Figure:
    heights = [LEGEND, *(item.height for item in items)]
    figure = plt.figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    outcomes = pd.concat([item.table for item in items])["outcome"]
    legend(figure.add_subplot(grid[0]), _handles(set(outcomes)))
    for number, item in enumerate(items, start=1):
        inner = grid[number].subgridspec(1, len(item.devices))
        first: Axes | None = None
        for column, device in enumerate(item.devices):
            axes = figure.add_subplot(inner[column], sharex=first, sharey=first)
            rows = item.table[item.table["device"] == device]
            _panel(axes, item, rows)
            heading = f"{'' if column else item.title}\n{rows['where'].iloc[0]}"
            axes.set_title(heading.strip(), loc="left", weight="bold")
            if first is not None:
                axes.tick_params(labelleft=False)
            first = first or axes
    style.caption(figure, TITLE, caption)
    return figure


def _panel(axes: Axes, item: Section, table: pd.DataFrame) -> None:
    ms_axis(axes, item.limits, 4.5 / len(item.devices))
    cells = {row["key"]: row for _, row in table.iterrows()}
    for y, (key, _) in enumerate(item.rows):
        if key is None:
            axes.axhspan(y - 0.5, y + 0.5, color=style.BLANK, linewidth=0)
        elif key not in cells:
            continue
        elif cells[key]["median_ms"] > 0:
            _mark(axes, y, cells[key])
        else:
            dots.failed(axes, y - 0.5, y + 0.5, dots.reason(cells[key]))
    names = [name if len(name) <= LETTERS else f"{name[:LETTERS]}…" for _, name in item.rows]
    axes.set_yticks(range(len(item.rows)), names, fontsize=style.NORMAL)
    for label, (key, _) in zip(axes.get_yticklabels(), item.rows, strict=True):
        label.set_fontweight("bold" if key is None else "normal")
    axes.set_ylim(len(item.rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _mark(axes: Axes, y: float, row: pd.Series) -> None:
    colour, marker, _ = LOOKS[row["outcome"]]
    bar(axes, row, y, colour, marker)
    texts = [milliseconds(row)]
    if row["outcome"] == LABELS:
        texts.append(f"{row['differing']:.0f} of {row['n']:.0f}")
    right = room_on_the_right(axes, row["median_ms"])
    ends = row[["ms_low", "median_ms", "ms_high"]].astype(float)
    beside(axes, ends.max() if right else ends.min(), y, "   ".join(texts), right)


def milliseconds(row: pd.Series) -> str:
    """A cell's time in three digits."""
    return f"{row['median_ms']:#.3g}".removesuffix(".")


def room_on_the_right(axes: Axes, x: float) -> bool:
    """Whether a time is in the left part of a log axis, so that text fits on its right."""
    low, high = np.log(axes.get_xlim())
    return bool(np.log(x) < low + 0.55 * (high - low))


def beside(axes: Axes, x: float, y: float, text: str, right: bool, apart: float = 5) -> None:
    """Text on the right or the left of a place, with so many points between."""
    look: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": style.NORMAL}
    look |= {"xytext": (apart if right else -apart, 0), "ha": "left" if right else "right"}
    axes.annotate(text, (x, y), **look)


def bar(axes: Axes, row: pd.Series, y: float, colour: str, marker: str, size: float = 5) -> None:
    """A cell's milliseconds with their interval; hollow if it was disturbed."""
    ms = row["median_ms"]
    ends = [[ms - row["ms_low"]], [row["ms_high"] - ms]]
    axes.errorbar(
        ms,
        y,
        xerr=None if np.isnan(ends).any() else np.maximum(ends, 0),
        marker=marker,
        markersize=size,
        color=colour,
        markerfacecolor="white" if row["disturbed"] == 1 else colour,
        linewidth=1,
    )


def ms_limits(table: pd.DataFrame) -> tuple[float, float]:
    """The ends of a log axis that shows a table's times and their intervals.

    It spans at least a factor of two, so that close times don't look far apart.
    """
    times = table[["median_ms", "ms_low", "ms_high"]].to_numpy(float)
    times = times[times > 0]
    low, high = (times.min(), times.max()) if times.size else (1.0, 10.0)
    margin = (high / low) ** 0.05
    widening = max(1.0, 2 / (high / low * margin**2)) ** 0.5
    return float(low / margin / widening), float(high * margin * widening)


def ms_axis(axes: Axes, limits: tuple[float, float], width: float) -> None:
    """A log axis of milliseconds with round ticks.

    Args:
        axes: the axes to change.
        limits: the axis' ends.
        width: inches of the axis.
    """
    decades = 10.0 ** np.arange(-6, 7)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = np.unique(np.round(np.outer(decades, steps).ravel(), 9))
        ticks = ticks[(ticks >= limits[0]) & (ticks <= limits[1])]
        if len(ticks) * 0.4 <= width:
            break
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", linewidth=0.3)
    axes.set_axisbelow(True)
    axes.set_xlabel("milliseconds per image (left: faster)")


def legend(axes: Axes, handles: list, columns: int = 3) -> None:
    """A legend in axes of its own."""
    axes.set_axis_off()
    look: dict[str, Any] = {"frameon": False, "borderaxespad": 0, "handletextpad": 0.5}
    axes.legend(handles=handles, loc="upper left", ncols=columns, numpoints=1, **look)


def dot(colour: str, marker: str, label: str, filled: bool = True) -> Line2D:
    """The legend's entry of a mark."""
    face = colour if filled else "white"
    look: dict[str, Any] = {"color": colour, "marker": marker, "markerfacecolor": face}
    return Line2D([], [], linewidth=0, markersize=5, label=label, **look)


def _handles(outcomes: set[str]) -> list:
    marks = [dot(*look) for outcome, look in LOOKS.items() if outcome in outcomes]
    hatch: dict[str, Any] = {"hatch": style.HATCH, "edgecolor": style.HATCH_COLOUR}
    hatched = Patch(facecolor="white", label="failed, and where", **hatch)
    return [*marks, dot("black", "o", "disturbed", False), hatched]
