"""Time against agreement, with the frontier: the fastest cells of those that agree as often."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deltann import precision
from deltann.figures import lanes, latency, legends, pages, style, time_axis
from deltann.tables import variant_names
from deltann.tables.routes import REFERENCE

TABLE = "pareto"
CAPTION = (
    "Milliseconds per image at batch 1 against agreement: on how many images the top-1 label "
    "isn't that of the unconverted model in its own framework's runtime. A mark per cell, by "
    "precision. The line joins the cells that are the fastest of those that agree at least as "
    "often. 95 % intervals: bootstrap over images for times, Wilson's for agreement."
)
TITLE = "What is fast, and still answers the same?"
# The order in which precisions get their looks.
PRECISIONS = (
    *(precision.FLOAT32, precision.INT8, precision.BFLOAT16, precision.FLOAT16),
    *(precision.INT8_DYNAMIC, precision.MIXED, precision.INT16X8),
)
LANES = 12  # with more, counts of labels share lanes
ROUND = [step * 10.0**power for power in range(-4, 3) for step in (1, 2, 5)]
STEPS = [0, *(step * 10**power for power in range(7) for step in (1, 2, 5))]
HIGHEST = 6.0  # inches of a panel's lanes
FAILED, NAMED = 8, 2  # so many cells that failed, and devices of a panel, are named


@dataclass
class Panel:
    """The cells that are compared with one reference.

    Attributes:
        title: of the panel.
        lanes: from the top.
        note: what isn't drawn.
        limits: the ends of the axis of times.
        images: how many, in words.
    """

    title: str
    lanes: list[lanes.Lane]
    note: str
    limits: tuple[float, float]
    images: str

    @property
    def cells(self) -> pd.DataFrame:
        """The cells that are drawn."""
        return pd.concat([lane.cells for lane in self.lanes])

    @property
    def body(self) -> float:
        """Inches of the lanes."""
        return sum(lane.height for lane in self.lanes)

    @property
    def below(self) -> float:
        """Inches of the note."""
        return 0.13 * (self.note.count("\n") + 1) if self.note else 0.02

    @property
    def height(self) -> float:
        """Inches, including title and axis."""
        return 0.75 + self.body + self.below


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """A panel per reference, a lane per number of other labels, a mark per cell.

    Args:
        table: `pareto.csv`, one row per cell.
    """
    table, emulated = time_axis.without_emulated(table)
    compared = table[table["agreement_percent"].notna()]
    if compared.empty:
        return pages.nothing(TITLE, "no cell ran that has a reference.")
    names, found = latency.Names(table), set(compared["precision"].dropna())
    order = [name for name in PRECISIONS if name in found]
    order += sorted(found - set(order))
    references = table[table["reference"].isin(compared["reference"])]
    panels = [
        _made(table, rows.assign(name=rows.apply(_name, axis=1, args=(rows, names))))
        for _, rows in references.groupby("reference", sort=False)
    ]
    caption = (
        f"Each mark is a cell, over {style.images(compared)}. Rows: on how many of them the top-1 "
        "label isn't the reference's, which is the unconverted model in its own framework's "
        "runtime (ringed). The rows aren't to scale; the agreement on the right is. In a row, "
        "marks are moved up only where they would overlap. Milliseconds at batch 1, on a log "
        "scale. The line joins the frontier: the cells that are the fastest of those that agree at "
        "least as often; these are named. Bars: 95 % intervals, bootstrap over images for times "
        "(often smaller than the mark), Wilson's for agreement."
    )
    if names.precisions:
        caption += " A cell without a named precision computes in float32."
    if (compared["disturbed"] == 1).any():
        caption += " Hollow: the timing was disturbed."
    if others := len(table) - len(references):
        caption += f" Not drawn: {others} cells whose reference failed or isn't in the study."
    caption += emulated
    # the legend has three lines at most
    height = pages.HEIGHT - pages.CAPTION - 0.6
    return (_page(page, order, caption) for page in pages.paginate(panels, height))


def _name(row: pd.Series, rows: pd.DataFrame, names: latency.Names) -> str:
    """A cell's short name: what tells it from the others of its panel."""
    device = variant_names.preparation(rows, {"device": row["device"]})
    return ", ".join([f"{row['target']} {names.without_target(row)}", *device])


def _made(table: pd.DataFrame, rows: pd.DataFrame) -> Panel:
    """A panel of the cells with one reference."""
    shared = {name: rows[name].iloc[0] for name in ("model", "source", "resizer")}
    devices = style.ordered(rows["device"])
    where = " and ".join(devices) if len(devices) <= NAMED else f"{len(devices)} devices"
    title = variant_names.title(table, shared) + f", on {where}" * (table["device"].nunique() > 1)
    drawn = rows[rows["agreement_percent"].notna()]
    limits = time_axis.limits(drawn)
    counts = sorted(drawn["differing"].unique())
    edges = counts if len(counts) <= LANES else STEPS
    number = np.searchsorted(edges, drawn["differing"], side="right")
    found = []
    for _, cells in drawn.groupby(number):
        cells = cells.sort_values(["frontier", "median_ms"], ascending=[False, True])
        fewest, most = cells["differing"].min(), cells["differing"].max()
        name = f"{fewest:.0f}" if fewest == most else f"{fewest:.0f} to {most:.0f}"
        found.append(lanes.Lane(name, cells, lanes.tracks(cells, limits)))
    lanes.squeeze(found, HIGHEST)
    return Panel(title, found, _note(rows[rows["status"] != "ok"]), limits, style.images(drawn))


def _note(failed: pd.DataFrame) -> str:
    """Which cells failed, in at most a few lines."""
    if failed.empty:
        return ""
    texts = [f"{row['name']}, at {row['failed_stage']}" for _, row in failed.iterrows()]
    more = [f"{len(texts) - FAILED} more"] if len(texts) > FAILED else []
    cells = "1 cell failed" if len(texts) == 1 else f"{len(texts)} cells failed"
    text = f"{cells} (not drawn): {'; '.join([*texts[:FAILED], *more])}."
    return textwrap.fill(text, int(style.WIDTH * 17))


def _page(panels: list[Panel], order: list[str], caption: str) -> Figure:
    handles = _handles(pd.concat([panel.cells for panel in panels]), order)
    heights = [legends.height(handles)]
    for panel in panels:
        heights += [panel.height - panel.below, panel.below]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(
        len(heights), 2, height_ratios=heights, width_ratios=[lanes.AXIS, 1.1]
    )
    legends.draw(figure.add_subplot(grid[0, :]), handles)
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(grid[2 * number + 1, 0])
        _panel(axes, panel, order)
        _agreement(figure.add_subplot(grid[2 * number + 1, 1], sharey=axes), panel)
        below = figure.add_subplot(grid[2 * number + 2, :])
        below.set_axis_off()
        note = below.text(0, 1, panel.note, fontsize=style.SMALL, va="top")
        note.set_in_layout(False)
    style.caption(figure, TITLE, caption)
    return figure


def _lines(panel: Panel) -> list[float]:
    """Where each lane's lowest marks are, in inches from the top."""
    ends = np.cumsum([lane.height for lane in panel.lanes])
    return [end - lane.below for end, lane in zip(ends, panel.lanes, strict=True)]


def _panel(axes: Axes, panel: Panel, order: list[str]) -> None:
    time_axis.draw(axes, panel.limits, lanes.AXIS)
    frontier = []
    _bands(axes, panel)
    for lane, line in zip(panel.lanes, _lines(panel), strict=True):
        labels = 0
        for (_, cell), track in zip(lane.cells.iterrows(), lane.tracks, strict=True):
            y = line - lane.pitch * track
            colour, marker = _look(cell["precision"], order)
            time_axis.bar(axes, cell, y, colour, marker, 6)
            if cell["outcome"] == REFERENCE:
                axes.plot(cell["median_ms"], y, "o", ms=11, mfc="none", mec="black", mew=0.9)
            if cell["frontier"] == 1:
                frontier.append((cell["median_ms"], y))
                labels += 1
                _label(axes, cell, line + lanes.TRACK / 2 + lanes.LINE * (labels - 0.5))
    _step(axes, sorted(frontier))
    axes.set_yticks(_lines(panel), [lane.name for lane in panel.lanes], fontsize=style.NORMAL + 1)
    axes.set_ylim(panel.body, 0)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel(f"labels changed,\nof {panel.images}")
    axes.set_title(panel.title, loc="left", weight="bold")


def _bands(axes: Axes, panel: Panel) -> None:
    """Every other lane in grey."""
    for lane, line in list(zip(panel.lanes, _lines(panel), strict=True))[::2]:
        edges = line + lane.below - lane.height, line + lane.below
        axes.axhspan(*edges, color="#F2F2F2", linewidth=0, zorder=0)


def _label(axes: Axes, cell: pd.Series, y: float) -> None:
    """A cell's name and time, below its mark and away from the line that comes from below."""
    text = f"{cell['name']}: {time_axis.milliseconds(cell)} ms"
    right = time_axis.room_on_the_right(axes, cell["median_ms"])
    time_axis.beside(axes, cell["median_ms"], y, text, right, 3)


def _step(axes: Axes, frontier: list[tuple[float, float]]) -> None:
    """The most that agrees within each time, from the fastest cell to the axis' end."""
    xs, ys = zip(*frontier, strict=True)
    end = axes.get_xlim()[1]
    axes.step([*xs, end], [*ys, ys[-1]], where="post", color="#777777", linewidth=1.2, zorder=1)


def _agreement(axes: Axes, panel: Panel) -> None:
    """Each lane's agreement in percent, to scale, with its interval."""
    _bands(axes, panel)
    for lane, line in zip(panel.lanes, _lines(panel), strict=True):
        axes.plot(lane.cells["agreement_percent"], [line] * len(lane.cells), "k|", markersize=7)
        low, high = lane.cells["percent_low"].min(), lane.cells["percent_high"].max()
        if low <= high:
            axes.plot([low, high], [line, line], color="black", linewidth=1.2)
    lowest = axes.get_xlim()[0]
    axes.set_xlim(lowest, 100 + 0.05 * (100 - lowest))
    # two or three round ticks, one of them at 100
    step = next(step for step in ROUND if 2.5 * step >= 100 - lowest)
    axes.set_xticks([tick for tick in (100 - 2 * step, 100 - step, 100) if tick >= lowest])
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.grid(axis="x", linewidth=0.3)
    axes.set_axisbelow(True)
    axes.set_xlabel("agreement (%)")


def _look(name: object, order: list[str]) -> tuple[str, str]:
    return style.look(order.index(name)) if name in order else ("#888888", "*")


def _handles(cells: pd.DataFrame, order: list[str]) -> list:
    """Entries of what these cells have."""
    ring: dict[str, Any] = {"marker": "o", "markersize": 10, "markerfacecolor": "none"}
    found = set(cells["precision"].dropna())
    handles: list = [legends.dot(*_look(name, order), name) for name in order if name in found]
    if (cells["outcome"] == REFERENCE).any():
        label = "the reference"
        handles.append(Line2D([], [], linewidth=0, label=label, color="black", **ring))
    if (cells["disturbed"] == 1).any():
        handles.append(legends.disturbed())
    return [*handles, Line2D([], [], color="#777777", linewidth=1.2, label="frontier")]
