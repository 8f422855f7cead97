"""Heat maps: their squares, the scales of their colours, and what fits into them."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import FuncNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from deltann.figures import style

# Speedups in percent at 10, 5, 2, 1.25, 1.1 times as slow and as fast.
RATIO_TICKS = (-90, -80, -50, -20, -9, 0, 10, 25, 100, 400, 900)
NEAR = 0.12  # of a bar's length: ticks so near to zero would overlap with it
BAR = 0.14  # inches


@dataclass
class Grid:
    """The squares of a heat map, by (row, column).

    Attributes:
        rows: the rows' names, from the top.
        columns: the columns' names, from the left.
        values: the numbers.
        texts: the numbers' texts.
        failures: the texts of failed squares.
        labels: labels of rows that differ from their names.
        column_labels: labels of columns that differ from their names.
    """

    rows: list[str]
    columns: list[str]
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    column_labels: dict[str, str] = field(default_factory=dict)

    @property
    def row_names(self) -> list[str]:
        """The rows' labels, from the top."""
        return [self.labels.get(row, row) for row in self.rows]

    @property
    def column_names(self) -> list[str]:
        """The columns' labels, from the left."""
        return [self.column_labels.get(column, column) for column in self.columns]


def heatmap(axes: Axes, grid: Grid, cmap: str, norm: Normalize, width: float) -> None:
    """Draw a grid: a coloured square per number, a hatched one per failure, blank ones elsewhere.

    Args:
        axes: the axes to draw on.
        grid: the squares.
        cmap: a colour map's name.
        norm: the scale of the colours.
        width: inches of a square. Texts shrink to it; if they become too small, only their first
            line is drawn.
    """
    colours = matplotlib.colormaps[cmap]
    texts, failures, size = _legible(grid, width)
    for y, row in enumerate(grid.rows):
        for x, column in enumerate(grid.columns):
            key = (row, column)
            if key in grid.values:
                colour = colours(norm(grid.values[key]))
                ink = "white" if _luminance(colour) < 0.45 else "black"
                _square(axes, x, y, colour, texts[key], ink, size)
            elif key in grid.failures:
                _square(axes, x, y, "white", failures[key], "black", size, style.HATCH)
            else:
                _square(axes, x, y, style.BLANK, texts.get(key, ""), "#555555", size)
    axes.set_xlim(-0.5, len(grid.columns) - 0.5)
    axes.set_ylim(len(grid.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.columns)), grid.column_names)
    axes.set_yticks(range(len(grid.rows)), grid.row_names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    narrow = style.fitting(grid.column_names, width)
    axes.tick_params(axis="x", labelsize=max(style.SMALLEST, narrow))
    if narrow < style.SMALLEST:
        axes.tick_params(axis="x", rotation=90)
    axes.tick_params(axis="y", labelsize=row_size(grid))


def _legible(grid: Grid, width: float) -> tuple[dict, dict, float]:
    """What fits into squares so many inches wide: texts, failures, and the type size.

    All numbers have their intervals, or none. Other texts are shortened one by one.
    """
    size = style.fitting([*grid.texts.values(), *grid.failures.values()], width)
    if size >= style.SMALLEST:
        return grid.texts, grid.failures, size
    numbers = [grid.texts[key] for key in grid.values]
    short = style.fitting(numbers, width) < style.SMALLEST

    def shown(text: str, number: bool) -> str:
        for shorter in (text, text.split("\n")[0]):
            whole = number and short and "\n" in shorter
            if not whole and style.fitting([shorter], width) >= style.SMALLEST:
                return shorter
        return ""

    texts = {key: shown(text, key in grid.values) for key, text in grid.texts.items()}
    return texts, {key: shown(text, False) for key, text in grid.failures.items()}, style.SMALLEST


def row_size(grid: Grid) -> float:
    """The type size of the rows' labels."""
    return style.SMALLEST if any("\n" in name for name in grid.row_names) else style.SMALL


def row_width(grid: Grid) -> float:
    """The width of the rows' labels in inches."""
    return style.text_width(grid.row_names, row_size(grid))


def _luminance(colour: tuple[float, ...]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _square(
    axes: Axes,
    x: int,
    y: int,
    colour: object,
    text: str,
    ink: str,
    size: float,
    hatch: str | None = None,
) -> None:
    box: dict[str, Any] = {
        "facecolor": colour,
        "edgecolor": style.HATCH_COLOUR if hatch else "white",
        "linewidth": 1,
    }
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, hatch=hatch, **box))
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 0.6} if hatch else None
    place: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.05}
    axes.text(x, y, text, color=ink, fontsize=size, bbox=plate, **place)


def colour_bar(
    figure: Figure, axes: Axes | list[Axes], cmap: str, norm: Normalize, label: str, height: float
) -> Colorbar:
    """A colour bar beside axes that are `height` inches high."""
    scale = matplotlib.cm.ScalarMappable(norm, cmap)
    look: dict[str, Any] = {"shrink": 0.9, "pad": 0.02, "aspect": max(6, height / BAR)}
    letters = int(len(label) * 0.9 * height / style.text_width([label], style.NORMAL))
    lines = textwrap.fill(label, max(1, letters), break_long_words=False)
    bar = figure.colorbar(scale, ax=axes, label=lines, **look)
    assert bar.solids is not None
    # matplotlib 3.11 draws its squares as pixels, and keeps a picture of the whole page for each
    bar.solids.set(rasterized=False, edgecolor="face")
    if isinstance(norm, FuncNorm):
        low, high = norm.vmin or 0, norm.vmax or 0
        ticks = [value for value in RATIO_TICKS if low <= value <= high]
        # ticks near zero would overlap
        ticks = [value for value in ticks if value == 0 or abs(norm(value) - 0.5) > NEAR]
        bar.set_ticks(ticks, labels=[f"{value:+d}" if value else "0" for value in ticks])
    return bar


def symmetric_ratio(percents: Iterable[float]) -> FuncNorm:
    """A scale of speedups, symmetric in the log of the ratio: twice and half as fast look alike.

    Args:
        percents: speedups, above -100. The scale ends at the strongest, at least at 10 %.
    """
    ratios = 1 + np.asarray([value for value in percents if np.isfinite(value)], float) / 100
    strongest = max(1.1, *np.exp(np.abs(np.log(ratios)))) if ratios.size else 1.1
    return FuncNorm(
        (_log_of_percent, _percent_of_log), 100 * (1 / strongest - 1), 100 * (strongest - 1)
    )


def _log_of_percent(value: np.ndarray) -> np.ndarray:
    # a colour bar's ticks may lie at -100 and below
    return np.log1p(np.maximum(value, -99.99) / 100)


def _percent_of_log(value: np.ndarray) -> np.ndarray:
    return 100 * np.expm1(value)


def percent(row: pd.Series) -> str:
    """A dissimilarity and its interval, as the text of a square."""
    value, low, high = (
        f"{number:.0f}" if number >= 9.95 or number == 0 else f"{number:.1f}"
        for number in (row["dissimilarity_percent"], row["percent_low"], row["percent_high"])
    )
    return f"{value}\n[{low}, {high}]"


def failure(row: pd.Series) -> str:
    """The text of a failed square."""
    if row["status"] == "no_reference":
        return "no native\nreference"
    return f"{row['failed_stage']}\nfailed"
