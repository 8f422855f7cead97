"""The figures' common look: type, colours, captions, heat maps, marks of failures."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import FuncNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

# Okabe and Ito's palette: distinct under every kind of colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SEQUENTIAL, DIVERGING = "cividis", "PuOr"
HATCH, HATCH_COLOUR, BLANK = "////", "#999999", "#EEEEEE"
WIDTH = 7.2  # inches: the text width of a two-column page
SMALL, NORMAL = 7, 8
# Smaller type can't be read in print; text that doesn't fit is only in the CSV.
SMALLEST = 5
# A letter's typical width, as a share of the type's size.
LETTER = 0.6
# Speedups in percent at 10, 5, 2, 1.25, 1.1 times as slow and as fast.
NEAR = 0.12
BAR = 0.14  # inches
RATIO_TICKS = (-90, -80, -50, -20, -9, 0, 10, 25, 100, 400, 900)


def use() -> None:
    """Set type and layout for print; text in the PDF stays text."""
    matplotlib.use("agg")
    plt.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "figure.max_open_warning": 0,
            "font.size": NORMAL,
            "axes.titlesize": NORMAL,
            "axes.labelsize": NORMAL,
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "legend.fontsize": SMALL,
            "hatch.linewidth": 0.6,
            "pdf.fonttype": 42,
            "savefig.dpi": 200,
        }
    )


def look(number: int) -> tuple[str, str]:
    """A series' colour and marker; 49 series have different pairs."""
    return COLOURS[number % len(COLOURS)], MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]


def caption(figure: Figure, title: str, text: str) -> None:
    """Add a title, and a caption: the comparison, the number of images, the kind of interval."""
    lines = textwrap.fill(text, int(figure.get_figwidth() * 19))
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    figure.supxlabel(lines, x=0.01, ha="left", fontsize=SMALL)


def images(table: pd.DataFrame) -> str:
    """The number of images behind a table's numbers, as text."""
    counts = sorted(table["n"].dropna().astype(int).unique())
    if not counts:
        return "no image (nothing to compare)"
    return f"{counts[0]} images" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} images"


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
    """

    rows: list[str]
    columns: list[str]
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def ordered(values: Iterable[str]) -> list[str]:
    """The distinct values, in the order of their first appearance."""
    return list(dict.fromkeys(values))


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
    texts = list(grid.texts.values()) + list(grid.failures.values())
    size = fitting(texts, width)
    if size < SMALLEST:
        texts = [text.split("\n")[0] for text in texts]
        size = max(SMALLEST, fitting(texts, width))
        cut = {key: text.split("\n")[0] for key, text in grid.texts.items()}
        failures = {key: text.split("\n")[0] for key, text in grid.failures.items()}
    else:
        cut, failures = grid.texts, grid.failures
    for y, row in enumerate(grid.rows):
        for x, column in enumerate(grid.columns):
            key = (row, column)
            if key in grid.values:
                colour = colours(norm(grid.values[key]))
                ink = "white" if _luminance(colour) < 0.45 else "black"
                _square(axes, x, y, colour, cut[key], ink, size)
            elif key in grid.failures:
                _square(axes, x, y, "white", failures[key], "black", size, HATCH)
            else:
                _square(axes, x, y, BLANK, cut.get(key, ""), "#666666", size)
    axes.set_xlim(-0.5, len(grid.columns) - 0.5)
    axes.set_ylim(len(grid.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.columns)), grid.columns)
    axes.set_yticks(range(len(grid.rows)), [grid.labels.get(row, row) for row in grid.rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    narrow = fitting(grid.columns, width)
    axes.tick_params(axis="x", labelsize=max(SMALLEST, narrow))
    if narrow < SMALLEST:
        axes.tick_params(axis="x", rotation=90, labelsize=SMALL - 1)
    axes.tick_params(axis="y", labelsize=row_size(grid))


def row_size(grid: Grid) -> float:
    """The type size of the rows' labels."""
    names = [grid.labels.get(row, row) for row in grid.rows]
    return SMALL - 1 if any("\n" in name for name in names) else SMALL


def row_width(grid: Grid) -> float:
    """The width of the rows' labels in inches."""
    return text_width([grid.labels.get(row, row) for row in grid.rows], row_size(grid))


def text_width(texts: Iterable[str], size: float) -> float:
    """The width of the longest line in inches, in type of this size."""
    longest = max((len(line) for text in texts for line in text.split("\n")), default=1)
    return longest * LETTER * size / 72


def fitting(texts: Iterable[str], width: float) -> float:
    """The type size, at most `SMALL`, at which the longest line fits into so many inches."""
    longest = max((len(line) for text in texts for line in text.split("\n")), default=1) or 1
    return min(SMALL, 72 * width / (LETTER * (longest + 0.8)))


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
        "edgecolor": HATCH_COLOUR if hatch else "white",
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
    bar = figure.colorbar(scale, ax=axes, label=label, **look)
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
        for number in (row["dissimilarity_percent"], row["low"], row["high"])
    )
    return f"{value}\n[{low}, {high}]"


def failure_patch() -> Patch:
    """The legend's entry for rows without a ratio, each with its reason."""
    return Patch(facecolor="white", edgecolor=HATCH_COLOUR, hatch=HATCH, label="no ratio, and why")


def failure(row: pd.Series) -> str:
    """The text of a failed square."""
    if row["status"] == "no_reference":
        return "no native\nreference"
    return f"{row['failed_stage']}\nfailed"
