"""Latency per level and device, relative to O0 of the same target on the same device."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from deltann.figures import style

TABLE = "latency"
BASE = "O0"


def draw(table: pd.DataFrame) -> Figure:
    """One panel per (model, source) and device; per target one mark per backend.

    Args:
        table: `latency.csv`, one row per cell.
    """
    groups = list(table.groupby(["model", "source"], sort=False))
    devices = style.ordered(table["device"])
    backends = [name for name in style.ordered(table["backend"]) if name != BASE]
    size = (style.WIDTH, 1.2 + 2.3 * len(groups))
    figure, axes = plt.subplots(
        len(groups), len(devices), figsize=size, sharey="row", squeeze=False
    )
    for panels, ((model, source), rows) in zip(axes, groups, strict=True):
        targets = style.ordered(rows["target"])
        for panel, device in zip(panels, devices, strict=True):
            _panel(panel, rows[rows["device"] == device], targets, backends)
            panel.set_title(f"{model} from {source}, on {device}")
        panels[0].set_ylabel(f"time relative to {BASE}\n(below 1: faster)")
    figure.legend(handles=_legend(backends), loc="outside right upper", frameon=False)
    style.caption(
        figure,
        "What the compiler's level does to time",
        f"Time per image over that of {BASE} of the same target on the same device, batch 1, over "
        f"{style.images(table)}, log scale. Bars: 95 % bootstrap interval over images (often "
        "smaller than the mark); it leaves out what varies between runs. Native: the framework's "
        "own runtime.",
    )
    return figure


def _panel(axes: Axes, table: pd.DataFrame, targets: list[str], backends: list[str]) -> None:
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    step = 0.8 / max(1, len(backends))
    for place, target in enumerate(targets):
        rows = table[(table["target"] == target) & table["backend"].isin(backends)]
        where = {
            name: place + (k - (len(backends) - 1) / 2) * step for k, name in enumerate(backends)
        }
        for _, row in rows[rows["ratio"] > 0].iterrows():
            _mark(axes, where[row["backend"]], row, backends.index(row["backend"]))
        missing = rows[~(rows["ratio"] > 0)]
        for text, failed in missing.groupby(missing.apply(_reason, axis=1), sort=False):
            middles = failed["backend"].map(where)
            _failed(axes, middles.min() - step / 2, middles.max() + step / 2, text)
    axes.set_xticks(range(len(targets)), targets)
    axes.set_xlim(-0.5, len(targets) - 0.5)
    axes.grid(axis="y", which="both", linewidth=0.3)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    )
    if not (table["ratio"] > 0).any():
        axes.yaxis.set_minor_formatter(NullFormatter())


def _mark(axes: Axes, x: float, row: pd.Series, number: int) -> None:
    colour = style.COLOURS[number % len(style.COLOURS)]
    drifted = row["drifted"] == 1 or row["base_drifted"] == 1
    error = [[row["ratio"] - row["ratio_low"]], [row["ratio_high"] - row["ratio"]]]
    axes.errorbar(
        x,
        row["ratio"],
        yerr=error,
        marker=style.MARKERS[number % len(style.MARKERS)],
        markersize=4.5,
        color=colour,
        markerfacecolor="white" if drifted else colour,
        linewidth=1,
    )


def _reason(row: pd.Series) -> str:
    return f"{row['failed_stage']} failed" if row["status"] == "failed" else f"no {BASE}"


def _failed(axes: Axes, left: float, right: float, text: str) -> None:
    edge = {"facecolor": "white", "edgecolor": style.HATCH_COLOUR, "hatch": style.HATCH}
    axes.axvspan(left, right, linewidth=0, **edge)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    place = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "center"}
    axes.text((left + right) / 2, 0.5, text, rotation=90, fontsize=6, bbox=plate, **place)


def _legend(backends: list[str]) -> list:
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4.5, label=backend)
        for colour, marker, backend in zip(style.COLOURS, style.MARKERS, backends, strict=False)
    ]
    drifted = {"color": "black", "marker": "o", "markerfacecolor": "white", "linewidth": 0}
    return [
        *handles,
        Line2D([], [], color="black", linewidth=0.8, label=f"{BASE} (= 1)"),
        Line2D([], [], markersize=4.5, label="unsteady machine", **drifted),
        style.failure_patch(),
    ]
