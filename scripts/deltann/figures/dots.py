"""Dot plots of ratios with intervals: a row per variant, a panel per column, a mark per series."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from deltann.figures import pages, style

ACROSS = 3
RATIO = ("ratio", "ratio_low", "ratio_high")


@dataclass
class Strip:
    """Panels side by side that share their rows.

    Attributes:
        title: of the strip.
        table: has the columns `row` (the label beside the axis), `panel`, `series`, those of
            `RATIO`, status, failed_stage, disturbed and reference_disturbed.
        panels: the panels' names, from the left.
        series: the names of the marks.
    """

    title: str
    table: pd.DataFrame
    panels: list[str]
    series: list[str]

    @property
    def rows(self) -> list[str]:
        """The rows' labels, from the top."""
        return style.ordered(self.table["row"])

    @property
    def height(self) -> float:
        """Inches, including titles and axis."""
        row = max(0.1 + 0.085 * len(self.series), 0.13 * _lines(self.rows))
        return 0.75 + row * len(self.rows)


def _lines(rows: list[str]) -> int:
    return max((name.count("\n") + 1 for name in rows), default=1)


def strips(title: str, table: pd.DataFrame, series: list[str]) -> list[Strip]:
    """A table as strips of at most `ACROSS` panels."""
    names = style.ordered(table["panel"])
    chunks = [names[i : i + ACROSS] for i in range(0, len(names), ACROSS)]
    return [
        Strip(title, table[table["panel"].isin(chunk)], chunk, series) for chunk in chunks if chunk
    ]


def draw(items: list[Strip], axis: str, base: str, title: str, caption: str) -> Iterator[Figure]:
    """Draw strips on as many pages as needed.

    Args:
        items: the strips.
        axis: the label of the axis.
        base: what the ratios are relative to, for the legend.
        title: the title of each page.
        caption: the caption of each page.
    """
    return (_page(page, axis, base, title, caption) for page in pages.paginate(items))


def _page(items: list[Strip], axis: str, base: str, title: str, caption: str) -> Figure:
    across = max(len(item.panels) for item in items)
    heights = [item.height for item in items]
    figure = plt.figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(len(items), across, height_ratios=heights)
    for row, item in enumerate(items):
        first: Axes | None = None
        for column, name in enumerate(item.panels):
            axes = figure.add_subplot(grid[row, column], sharex=first, sharey=first)
            _panel(axes, item, item.table[item.table["panel"] == name])
            axes.set_title(name if column else f"{item.title}\n{name}", loc="left")
            if first is not None:
                axes.tick_params(labelleft=False)
            first = first or axes
        assert first is not None  # a strip has a panel
        ticks(first)
        first.set_xlabel(axis)
    style_of = {name: k for item in items for k, name in enumerate(item.series)}
    figure.legend(handles=_legend(style_of, base), loc="outside right upper", frameon=False)
    style.caption(figure, title, caption)
    return figure


def _panel(axes: Axes, item: Strip, table: pd.DataFrame) -> None:
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    rows, series = item.rows, item.series
    step = 0.8 / max(1, len(series))
    for number, name in enumerate(rows):
        if number:
            axes.axhline(number - 0.5, color="#DDDDDD", linewidth=0.5)
        cells = table[table["row"] == name]
        heights = {one: number + (k - (len(series) - 1) / 2) * step for k, one in enumerate(series)}
        drawn = cells["ratio"] > 0
        for _, row in cells[drawn].iterrows():
            _mark(axes, heights[row["series"]], row, series.index(row["series"]))
        missing = cells[~drawn]
        for text, alike in missing.groupby(missing.apply(reason, axis=1), sort=False):
            for run in _runs(sorted(series.index(one) for one in alike["series"])):
                ends = heights[series[run[0]]], heights[series[run[-1]]]
                failed(axes, ends[0] - step / 2, ends[1] + step / 2, text)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelsize=style.SMALL - (_lines(rows) > 1))
    axes.grid(axis="x", linewidth=0.3)


def ticks(axes: Axes) -> None:
    """Set at least three round ratios as ticks of an axis and of those that share it."""
    low, high = axes.get_xlim()
    low, high = min(low, 0.9), max(high, 1.1)
    axes.set_xlim(low, high)
    decades = 10.0 ** np.arange(-6, 7)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.1, 1.2, 1.4, 7, 8, 9)):
        ratios = np.unique(np.round(np.outer(decades, steps).ravel(), 6))
        inside = ratios[(ratios >= low) & (ratios <= high)]
        if len(inside) >= 3:
            break
    axes.xaxis.set_major_locator(FixedLocator(_apart(inside, 0.12 * np.log(high / low))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _apart(ticks: np.ndarray, distance: float) -> list[float]:
    """The ticks, chosen from 1 outwards, whose logs are further apart than a distance."""
    kept: list[float] = []
    for tick in sorted(ticks, key=lambda tick: abs(np.log(tick))):
        if all(abs(np.log(tick / other)) > distance for other in kept):
            kept.append(tick)
    return kept


def _mark(axes: Axes, y: float, row: pd.Series, number: int) -> None:
    colour, marker = style.look(number)
    disturbed = row["disturbed"] == 1 or row["reference_disturbed"] == 1
    ends = [[row["ratio"] - row["ratio_low"]], [row["ratio_high"] - row["ratio"]]]
    axes.errorbar(
        row["ratio"],
        y,
        xerr=None if np.isnan(ends).any() else np.maximum(ends, 0),
        marker=marker,
        markersize=3.5,
        color=colour,
        markerfacecolor="white" if disturbed else colour,
        linewidth=1,
    )


def reason(row: pd.Series) -> str:
    """Why a row has no ratio."""
    if row["status"] == "failed":
        return f"{row['failed_stage']} failed"
    return "no reference" if row["status"] == "ok" else row["status"]


def _runs(numbers: list[int]) -> list[list[int]]:
    """Ascending numbers as runs without gaps."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number <= runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def failed(axes: Axes, top: float, bottom: float, text: str) -> None:
    """Hatch one or more rows that have no measurement, and say why."""
    edge: dict[str, Any] = {
        "facecolor": "white",
        "edgecolor": style.HATCH_COLOUR,
        "hatch": style.HATCH,
    }
    axes.axhspan(top, bottom, linewidth=0, **edge)
    plate: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    place: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "ha": "center",
        "va": "center",
    }
    axes.text(0.5, (top + bottom) / 2, text, fontsize=style.SMALLEST, bbox=plate, **place)


def _legend(series: dict[str, int], base: str) -> list:
    looks = {name: style.look(k) for name, k in series.items()}
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3.5, label=name)
        for name, (colour, marker) in looks.items()
    ]
    hollow: dict[str, Any] = {
        "color": "black",
        "marker": "o",
        "markerfacecolor": "white",
        "linewidth": 0,
    }
    return [
        *handles,
        Line2D([], [], color="black", linewidth=0.8, label=f"{base}\n(= 1)"),
        Line2D([], [], markersize=3.5, label="disturbed", **hollow),
        style.failure_patch(),
    ]
