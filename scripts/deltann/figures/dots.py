"""Dot plots of ratios with intervals: a row per variant, a panel per column, a mark per series."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from deltann.figures import legends, pages, style

ACROSS = 3
RATIO = ("ratio", "ratio_low", "ratio_high")
# Inches: a mark's lane, the space between rows, and a strip's titles, ticks and axis' name.
LANE, APART, FRAME = 0.1, 0.08, 0.85
BASE: dict[str, Any] = {"color": "black", "linewidth": 0.8}


@dataclass
class Strip:
    """Panels side by side that share their rows.

    Attributes:
        title: of the strip.
        table: has the columns `row` (the label beside the axis), `panel`, `series`, those of
            `RATIO`, status, failed_stage, disturbed and reference_disturbed.
        panels: the panels' names, from the left; empty if there is one and it needs no name.
        series: the names of the marks.
    """

    title: str
    table: pd.DataFrame
    panels: list[str]
    series: list[str]

    @cached_property
    def rows(self) -> dict[str, list[str]]:
        """The series of each row, by the row's label, from the top: each has a lane."""
        found = self.table.groupby("row", sort=False)["series"].unique()
        return {row: [one for one in self.series if one in set(has)] for row, has in found.items()}

    def row_height(self, row: str) -> float:
        """Inches of a row."""
        lines = row.count("\n") + 1
        return max(APART + LANE * len(self.rows[row]), APART + style.LINE * lines)

    @property
    def body(self) -> float:
        """Inches of the rows."""
        return sum(map(self.row_height, self.rows))

    @property
    def height(self) -> float:
        """Inches."""
        return FRAME + self.body

    def split(self, height: float) -> Iterator["Strip"]:
        """Strips of the rows that fit into so many inches each."""
        title, used = self.title, FRAME
        chosen: list[str] = []
        for row in self.rows:
            if chosen and used + self.row_height(row) > height:
                yield replace(self, title=title, table=self.table[self.table["row"].isin(chosen)])
                title, chosen, used = f"{self.title}{pages.MORE}", [], FRAME
            chosen.append(row)
            used += self.row_height(row)
        yield replace(self, title=title, table=self.table[self.table["row"].isin(chosen)])


def compared(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows that have a ratio or failed, and a sentence that counts the others."""
    kept = table[(table["ratio"] > 0) | (table["status"] == "failed")]
    others = len(table) - len(kept)
    if not others:
        return kept, ""
    cells = "1 cell" if others == 1 else f"{others} cells"
    return kept, f" Not drawn: {cells} without a reference."


def remarks(table: pd.DataFrame) -> str:
    """The sentences of a caption about marks that only some studies have."""
    hollow = " Hollow: the cell or its reference was disturbed while it was timed."
    return style.hatched(table) + hollow * bool(disturbed(table).any())


def disturbed(table: pd.DataFrame) -> pd.Series:
    """Which rows have a mark that is drawn hollow."""
    either = (table["disturbed"] == 1) | (table["reference_disturbed"] == 1)
    return either & (table["ratio"] > 0)


def strips(title: str, table: pd.DataFrame, series: list[str]) -> list[Strip]:
    """A table as strips of at most `ACROSS` panels, none higher than a page."""
    names = style.ordered(table["panel"])
    chunks = [names[i : i + ACROSS] for i in range(0, len(names), ACROSS)]
    wide = [Strip(title, table[table["panel"].isin(chunk)], chunk, series) for chunk in chunks]
    # the legend has three lines at most
    height = pages.HEIGHT - pages.CAPTION - 0.6
    return [part for strip in wide for part in strip.split(height)]


def draw(items: list[Strip], axis: str, base: str, title: str, caption: str) -> Iterator[Figure]:
    """Draw strips on as many pages as needed.

    Args:
        items: the strips.
        axis: the label of the axis.
        base: what the ratios are relative to, for the legend.
        title: the title of each page.
        caption: the caption of each page.
    """
    height = pages.HEIGHT - pages.CAPTION - 0.6
    return (_page(page, axis, base, title, caption) for page in pages.paginate(items, height))


def _page(items: list[Strip], axis: str, base: str, title: str, caption: str) -> Figure:
    across = max(len(item.panels) for item in items)
    handles = _legend(pd.concat([item.table for item in items]), items[0].series, base)
    heights = [legends.height(handles), *(item.height for item in items)]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    legends.draw(figure.add_subplot(grid[0, :]), handles)
    for row, item in enumerate(items, start=1):
        first: Axes | None = None
        for column, name in enumerate(item.panels):
            axes = figure.add_subplot(grid[row, column], sharex=first, sharey=first)
            _panel(axes, item, item.table[item.table["panel"] == name])
            style.heading(axes, "" if column else item.title, name)
            if first is not None:
                axes.tick_params(labelleft=False)
            first = first or axes
        assert first is not None  # a strip has a panel
        ticks(first)
        first.set_xlabel(axis, loc="left")
    style.caption(figure, title, caption)
    return figure


def _panel(axes: Axes, item: Strip, table: pd.DataFrame) -> None:
    axes.axvline(1, **BASE)
    axes.set_xscale("log")
    top, middles = 0.0, []
    for row, series in item.rows.items():
        height = item.row_height(row)
        middle = top + height / 2
        lanes = {one: middle + LANE * (k - (len(series) - 1) / 2) for k, one in enumerate(series)}
        cells = table[table["row"] == row]
        for _, cell in cells[cells["ratio"] > 0].iterrows():
            _mark(axes, lanes[cell["series"]], cell, item.series.index(cell["series"]))
        _failures(axes, cells[~(cells["ratio"] > 0)], lanes)
        if top:
            axes.axhline(top, color="#DDDDDD", linewidth=0.5)
        middles.append(middle)
        top += height
    axes.set_yticks(middles, list(item.rows))
    axes.set_ylim(top, 0)
    small = any("\n" in row for row in item.rows)
    size = style.SMALLEST if small else style.SMALL
    axes.tick_params(axis="y", length=0, labelsize=size)
    axes.grid(axis="x", linewidth=0.3)


def _failures(axes: Axes, cells: pd.DataFrame, lanes: dict[str, float]) -> None:
    """Hatch the lanes without a ratio; neighbours that failed alike are one area."""
    if cells.empty:
        return
    order = list(lanes)
    for text, alike in cells.groupby(cells.apply(reason, axis=1), sort=False):
        for run in _runs(sorted({order.index(one) for one in alike["series"]})):
            ends = lanes[order[run[0]]], lanes[order[run[-1]]]
            failed(axes, ends[0] - LANE / 2, ends[1] + LANE / 2, text)


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
    hollow = row["disturbed"] == 1 or row["reference_disturbed"] == 1
    ends = [[row["ratio"] - row["ratio_low"]], [row["ratio_high"] - row["ratio"]]]
    axes.errorbar(
        row["ratio"],
        y,
        xerr=None if np.isnan(ends).any() else np.maximum(ends, 0),
        marker=marker,
        markersize=style.MARK,
        color=colour,
        markerfacecolor="white" if hollow else colour,
        linewidth=1,
    )


def reason(row: pd.Series) -> str:
    """Why a row has no ratio."""
    return f"{row['failed_stage']} failed" if row["status"] == "failed" else row["status"]


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


def _legend(table: pd.DataFrame, series: list[str], base: str) -> list:
    """Entries of what these rows have."""
    marked = set(table.loc[table["ratio"] > 0, "series"])
    handles: list = [
        legends.dot(*style.look(number), name)
        for number, name in enumerate(series)
        if name in marked
    ]
    handles.append(Line2D([], [], label=f"{base} (= 1)", **BASE))
    if disturbed(table).any():
        handles.append(legends.disturbed())
    if not (table["ratio"] > 0).all():
        handles.append(legends.hatch("failed, and where"))
    return handles
