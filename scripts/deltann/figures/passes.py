"""Each graph pass alone: its time relative to no pass, and the paper's."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from deltann.cell import COMPILATION
from deltann.figures import dots, legends, pages, style
from deltann.tables import variant_names

TABLE = "passes"
CAPTION = (
    "Time with one graph pass switched on over the time with none (filled, with 95 % "
    "bootstrap intervals over images), one panel per model file, and the paper's ratio for "
    "the corresponding pass (hollow). The paper's devices, compiler (TVM's Relay of 2023; "
    "here Relax) and kernels differ: compare signs and orders of magnitude. A pass with "
    "nothing to do leaves the model as it was."
)
TITLE = "How each graph pass alone changes time"
BASE = "All Disabled"
FILE = ["model", "source", *variant_names.PREPARATION, "target", "route", *COMPILATION, "device"]
SAME = ("same_code_ratio_low", "same_code_ratio_high")
HERE, PAPER = style.COLOURS[0], style.COLOURS[5]
ROW = 0.3  # inches
# The colour of text that isn't a measurement.
QUIET = "#666666"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """A panel per model file and device, a row per pass.

    Args:
        table: `passes.csv`.
    """
    if table.empty:
        return pages.nothing(
            TITLE, "this figure needs backends with no pass and with one pass alone."
        )
    table = table.fillna({"passes": ""})
    variants = variant_names.Variants(table)
    panels = []
    for shared, rows in variant_names.groups(table, FILE):
        title, variant = variant_names.title(table, shared), variants.line(rows.iloc[0])
        title = title if variant == shared["source"] else f"{title}\nin {variant}"
        panels.append((title, rows[rows["published_pass"] != BASE]))
    chunks = [panels[i : i + dots.ACROSS] for i in range(0, len(panels), dots.ACROSS)]
    return (_page(chunk, table) for chunk in chunks)


def _page(panels: list[tuple[str, pd.DataFrame]], table: pd.DataFrame) -> Figure:
    names = style.ordered(_name(row) for _, row in panels[0][1].iterrows())
    handles = _legend(pd.concat([rows for _, rows in panels]))
    heights = [legends.height(handles), 0.9 + ROW * len(names)]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(2, 1, height_ratios=heights)
    legends.draw(figure.add_subplot(grid[0]), handles)
    axes = grid[1].subgridspec(1, len(panels)).subplots(sharey=True, squeeze=False)
    for ax, (title, rows) in zip(axes.flat, panels, strict=True):
        _panel(ax, rows, names)
        ax.set_title(title, loc="left")
    first = axes.flat[0]
    first.set_yticks(range(len(names)), names)
    first.set_ylim(len(names) - 0.5, -0.5)
    axes.flat[len(panels) // 2].set_xlabel("time relative to no pass (below 1: faster), log scale")
    style.caption(figure, TITLE, _caption(table))
    return figure


def _name(row: pd.Series) -> str:
    """The paper's name above today's; one name if they are equal, or there is none, or all."""
    name, today = row["published_pass"], row["passes"]
    return name if today in ("", name) or ";" in today else f"{name}\n{today}"


def _panel(axes: Axes, table: pd.DataFrame, names: list[str]) -> None:
    low, high = table[list(SAME)].iloc[0]
    if low > 0:
        axes.axvspan(low, high, color=style.BLANK, linewidth=0)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    for _, row in table.iterrows():
        y = names.index(_name(row))
        if row["status"] == "failed":
            dots.failed(axes, y - 0.35, y + 0.1, dots.reason(row))
        elif np.isfinite(row[dots.RATIO[0]]):
            _mark(axes, y - 0.15, row)
        if row["published_ratio"] > 0:
            axes.plot(row["published_ratio"], y + 0.25, **_paper())
    for y in range(1, len(names)):
        axes.axhline(y - 0.5, color="#DDDDDD", linewidth=0.5)
    dots.ticks(axes)
    for _, row in table.iterrows():
        _remark(axes, names.index(_name(row)) + 0.25, row)
    axes.tick_params(axis="y", length=0, labelsize=style.SMALLEST)
    axes.grid(axis="x", linewidth=0.3)


def _mark(axes: Axes, y: float, row: pd.Series) -> None:
    ratio, low, high = row[list(dots.RATIO)]
    ends = [[ratio - low], [high - ratio]]
    bar = None if np.isnan(ends).any() else np.maximum(ends, 0)
    axes.errorbar(ratio, y, xerr=bar, marker="o", markersize=style.MARK, color=HERE, linewidth=1)
    if row["disturbed"] == 1:
        axes.annotate("*", (ratio, y), (0, 1), textcoords="offset points", ha="center")


def _paper() -> dict:
    look = {"marker": "D", "markersize": style.MARK, "markerfacecolor": "white", "linewidth": 0}
    return {"color": PAPER, **look}


def _remark(axes: Axes, y: float, row: pd.Series) -> None:
    """A row's remark, at the side that its marks leave free."""
    text = "nothing to do" if row["idle"] == 1 else ""
    if row["status"] not in ("ok", "failed"):
        text = row["status"].replace("_", " ")
    if row["published_status"] == "failed":
        text = f"{text}; paper: failed" if text else "paper: failed"
    marks = [value for value in (row[dots.RATIO[0]], row["published_ratio"]) if value > 0]
    middle = np.sqrt(np.prod(axes.get_xlim()))
    side = ("left", 0.02) if all(mark > middle for mark in marks) else ("right", 0.98)
    place: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": side[0], "va": "center"}
    axes.text(side[1], y, text, fontsize=style.SMALLEST, color=QUIET, **place)


def _legend(table: pd.DataFrame) -> list:
    """Entries of what these rows have."""
    here: dict[str, Any] = {"color": HERE, "marker": "o", "markersize": style.MARK, "linewidth": 1}
    handles: list = []
    if table[dots.RATIO[0]].notna().any():
        handles.append(Line2D([], [], label="here", **here))
    if (table["published_ratio"] > 0).any():
        handles.append(Line2D([], [], label="paper", **_paper()))
    if table[SAME[0]].notna().any():
        handles.append(Patch(facecolor=style.BLANK, label="same code"))
    if (table["status"] == "failed").any():
        handles.append(legends.hatch("failed, and where"))
    return handles


def _caption(table: pd.DataFrame) -> str:
    star = " *: the timing was disturbed." if (table["disturbed"] == 1).any() else ""
    return (
        "Time per image at batch 1 with one graph pass switched on, over that with none, over "
        f"{style.images(table)}. Bars: 95 % bootstrap interval over images, without the variation "
        "between runs. Grey: the range of cells whose code is byte for byte that of no pass; "
        "ratios within it may be the machine's variation. Nothing to do: the pass left the model "
        "as it was. Hollow: tables III and IV of the paper's appendix (100 images, a laptop's "
        "integrated GPU, TVM's Relay of 2023). Of two names of a pass, the upper is the paper's, "
        f"the lower today's. Compare signs and orders of magnitude.{star}{style.hatched(table)}"
    )
