"""The paper's speedups beside this run's."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deltann.figures import dots, pages, style

TABLE = "published"
CAPTION = (
    "The paper's published speedups (hollow) beside this run's (filled, with 95 % bootstrap "
    "intervals over images). The paper's devices, compiler (TVM's Relay of 2023; here Relax) "
    "and images differ: compare signs and orders of magnitude, not numbers."
)
TITLE = "Published speedups beside this run's"
PAIR = ["published_baseline", "published_candidate"]


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """A panel per pair of levels, a row per model and framework, a mark per device.

    Args:
        table: `published.csv`.
    """
    table = table.assign(row=table["published_model"] + ", " + table["published_framework"])
    rows = style.ordered(table.sort_values("published_model", kind="stable")["row"])
    measured = style.ordered(table["device"].dropna())
    published = style.ordered(table["published_device"])
    pairs = list(table.groupby(PAIR, sort=False))
    lanes = len(published) + len(measured)
    size = (style.WIDTH, pages.CAPTION + 0.9 + 0.07 * len(rows) * (lanes + 1))
    figure, axes = plt.subplots(1, len(pairs), figsize=size, sharey=True, sharex=True)
    for ax, ((baseline, candidate), rows_of_pair) in zip(axes, pairs, strict=True):
        _panel(ax, rows_of_pair, rows, published, measured)
        ax.tick_params(axis="x", labelsize=style.SMALL - 1)
        levels = rows_of_pair[["baseline", "candidate"]].iloc[0]
        ax.set_title(f"{baseline} to {candidate}\n({' to '.join(levels)})", loc="left")
    _axis(axes[0], table)
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    axes[len(pairs) // 2].set_xlabel("speedup in percent, log scale of the ratio of times")
    legend = _legend(published, measured)
    figure.legend(handles=legend, loc="outside right upper", frameon=False)
    style.caption(figure, TITLE, _caption(table, measured))
    yield figure


def _panel(
    axes: Axes, table: pd.DataFrame, rows: list[str], published: list[str], measured: list[str]
) -> None:
    axes.axvline(1, color="black", linewidth=0.8)
    lanes = [*published, *measured]
    for number, name in enumerate(rows):
        if number:
            axes.axhline(number - 0.5, color="#DDDDDD", linewidth=0.5)
        cells = table[table["row"] == name]
        heights = {one: number - 0.5 + (k + 1) / (len(lanes) + 1) for k, one in enumerate(lanes)}
        for _, row in cells.drop_duplicates("published_device").iterrows():
            look = _look(published.index(row["published_device"]))
            ratio = 1 + row["published_percent"] / 100
            axes.plot(ratio, heights[row["published_device"]], **look, markerfacecolor="white")
        for _, row in cells.drop_duplicates(["device", "importer"]).iterrows():
            if row["status"] == "ok":
                _measured(axes, heights[row["device"]], row, measured.index(row["device"]))
            elif row["status"] == "failed":
                y, half = heights[row["device"]], 0.4 / (len(lanes) + 1)
                dots.failed(axes, y - half, y + half, dots.reason(row))
    axes.set_xscale("log")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.3)


def _measured(axes: Axes, y: float, row: pd.Series, number: int) -> None:
    value, low, high = (1 + row[name] / 100 for name in ("speedup_percent", "low", "high"))
    ends = [[value - low], [high - value]]
    look: dict[str, Any] = {
        "marker": style.MARKERS[number],
        "markersize": 3.5,
        "color": "black",
        "linewidth": 1,
    }
    axes.errorbar(value, y, xerr=None if np.isnan(ends).any() else np.maximum(ends, 0), **look)


def _look(number: int) -> dict:
    colour, marker = style.COLOURS[number], style.MARKERS[number]
    return {"color": colour, "marker": marker, "markersize": 3.5, "linewidth": 0}


def _axis(axes: Axes, table: pd.DataFrame) -> None:
    percents = np.concatenate([table["published_percent"], table["speedup_percent"]])
    ratios = 1 + percents[np.isfinite(percents)] / 100
    ticks = np.array([-90, -75, -50, 0, 100, 900])
    # so that marks at both ends are whole
    margin = (ratios.max() / ratios.min()) ** 0.04
    low, high = ratios.min() / margin, ratios.max() * margin
    ticks = ticks[(1 + ticks / 100 >= low) & (1 + ticks / 100 <= high)]
    axes.set_xlim(low, high)
    axes.set_xticks(1 + ticks / 100, [f"{tick:+d}" if tick else "0" for tick in ticks])
    axes.minorticks_off()


def _legend(published: list[str], measured: list[str]) -> list:
    here = [
        Line2D(
            [], [], color="black", marker=style.MARKERS[k], markersize=3.5, label=f"here: {name}"
        )
        for k, name in enumerate(measured)
    ]
    paper = [
        Line2D([], [], **_look(k), markerfacecolor="white", label=f"paper: {name}")
        for k, name in enumerate(published)
    ]
    return paper + here


def _caption(table: pd.DataFrame, measured: list[str]) -> str:
    this_run = (
        f"Filled, with 95 % bootstrap intervals over {style.images(table)}: the same levels of the "
        "same frameworks' unconverted models in this run. Hatched: failed, with the stage."
        if measured
        else "This run has none of these cells."
    )
    return (
        "Hollow: the configurations that ran in tables I, II and V to XI of the paper's appendix "
        f"(about 5,500 images). {this_run} Positive: the candidate level is faster. The paper's "
        "devices (a desktop-class NVIDIA GPU, a Jetson AGX Xavier, a HiKey 970, a laptop's "
        "integrated GPU), compiler (TVM's Relay of 2023; here Relax) and images differ: compare "
        "signs and orders of magnitude, not numbers."
    )
