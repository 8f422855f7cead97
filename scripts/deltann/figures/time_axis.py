"""A log axis of milliseconds, with cells on it: their intervals, and texts beside them."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from deltann.figures import style


def without_emulated(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows that have a time or failed, and a sentence about the others, for the caption.

    Args:
        table: with the columns `status` and `median_ms`.
    """
    drawn = table["median_ms"].notna() | (table["status"] != "ok")
    left_out = int((~drawn).sum())
    cells = "1 cell" if left_out == 1 else f"{left_out} cells"
    remark = f" Not drawn: {cells} on an emulated device, where times mean nothing."
    return table[drawn], remark * (left_out > 0)


def milliseconds(row: pd.Series) -> str:
    """A cell's time in three digits, without an exponent."""
    text = np.format_float_positional(
        row["median_ms"], precision=3, fractional=False, trim="k", unique=False
    )
    return text.removesuffix(".")


def room_on_the_right(axes: Axes, x: float) -> bool:
    """Whether a time is in the left part of a log axis, so that text fits on its right."""
    low, high = np.log(axes.get_xlim())
    return bool(np.log(x) < low + 0.55 * (high - low))


def beside_bar(axes: Axes, row: pd.Series, y: float, text: str, width: float) -> None:
    """Text beside a cell's interval, on the side with more room; on the interval if none is enough.

    Args:
        axes: with a log axis, and its limits.
        row: the cell.
        y: its place.
        text: the text.
        width: inches of the axis.
    """
    low, high = np.log(axes.get_xlim())
    times = row[["ms_low", "median_ms", "ms_high"]].astype(float)
    room = {False: np.log(times.min()) - low, True: high - np.log(times.max())}
    right = bool(room[True] >= room[False])
    needed = (style.text_width([text], style.NORMAL) + 10 / 72) / width * (high - low)
    if room[right] >= needed:
        beside(axes, times.max() if right else times.min(), y, text, right)
    else:
        right = room_on_the_right(axes, times["median_ms"])
        plate = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        beside(axes, times["median_ms"], y, text, right, apart=7, plate=plate)


def beside(
    axes: Axes, x: float, y: float, text: str, right: bool, apart: float = 5, plate: Any = None
) -> None:
    """Text on the right or the left of a place, with so many points between."""
    look: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": style.NORMAL}
    look |= {"xytext": (apart if right else -apart, 0), "ha": "left" if right else "right"}
    axes.annotate(text, (x, y), bbox=plate, **look)


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


def limits(table: pd.DataFrame) -> tuple[float, float]:
    """The ends of a log axis that shows a table's times and their intervals.

    It spans at least a factor of two, so that close times don't look far apart.
    """
    times = table[["median_ms", "ms_low", "ms_high"]].to_numpy(float)
    times = times[times > 0]
    low, high = (times.min(), times.max()) if times.size else (1.0, 10.0)
    margin = (high / low) ** 0.05
    widening = max(1.0, 2 / (high / low * margin**2)) ** 0.5
    return float(low / margin / widening), float(high * margin * widening)


def draw(axes: Axes, limits: tuple[float, float], width: float) -> None:
    """A log axis of milliseconds with round ticks.

    Args:
        axes: the axes to change.
        limits: the axis' ends.
        width: inches of the axis.
    """
    decades = 10.0 ** np.arange(-6, 7)
    fine = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
    for steps in (fine, (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
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
