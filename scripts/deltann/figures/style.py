"""What the figures have in common: type, colours, heat maps, and how a failure is marked."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

import matplotlib
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

# Okabe and Ito's palette: distinct under every kind of colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SEQUENTIAL, DIVERGING = "cividis", "PuOr"
HATCH, HATCH_COLOUR, BLANK = "////", "#999999", "#EEEEEE"
WIDTH = 7.2  # inches: the text width of a two-column page
SMALL, NORMAL = 7, 8


def use() -> None:
    """Set type and layout for print; PDF text stays text."""
    matplotlib.use("agg")
    plt.rcParams.update(
        {
            "figure.constrained_layout.use": True,
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


def caption(figure: Figure, title: str, text: str) -> None:
    """A title, and under it what is compared, over how many images, and what the interval is."""
    lines = textwrap.fill(text, int(figure.get_figwidth() * 19))
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
    figure.supxlabel(lines, x=0.01, ha="left", fontsize=SMALL)


def images(table: pd.DataFrame) -> str:
    """How many images a table's numbers are over, in words."""
    counts = sorted(table["n"].dropna().astype(int).unique())
    if not counts:
        return "no image (nothing to compare)"
    return f"{counts[0]} images" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} images"


@dataclass
class Grid:
    """The squares of a heat map, by (row, column): numbers, their texts, and failures' names."""

    rows: list[str]
    columns: list[str]
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)


def ordered(values: Iterable[str]) -> list[str]:
    """The distinct values, in the order of their first appearance."""
    return list(dict.fromkeys(values))


def heatmap(axes: Axes, grid: Grid, cmap: str, norm: Normalize) -> None:
    """Draw a grid: a coloured square per number, a hatched one per failure, a blank elsewhere."""
    colours = matplotlib.colormaps[cmap]
    for y, row in enumerate(grid.rows):
        for x, column in enumerate(grid.columns):
            key = (row, column)
            if key in grid.values:
                colour = colours(norm(grid.values[key]))
                ink = "white" if _luminance(colour) < 0.45 else "black"
                _square(axes, x, y, colour, grid.texts[key], ink)
            elif key in grid.failures:
                _square(axes, x, y, "white", grid.failures[key], "black", HATCH)
            else:
                _square(axes, x, y, BLANK, grid.texts.get(key, ""), "#666666")
    axes.set_xlim(-0.5, len(grid.columns) - 0.5)
    axes.set_ylim(len(grid.rows) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.columns)), grid.columns)
    axes.set_yticks(range(len(grid.rows)), grid.rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _luminance(colour: tuple[float, ...]) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _square(
    axes: Axes, x: int, y: int, colour: object, text: str, ink: str, hatch: str | None = None
) -> None:
    box = {"facecolor": colour, "edgecolor": HATCH_COLOUR if hatch else "white", "linewidth": 1}
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, hatch=hatch, **box))
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1} if hatch else None
    axes.text(x, y, text, ha="center", va="center", color=ink, fontsize=SMALL, bbox=plate)


def colour_bar(figure: Figure, axes: Axes | list[Axes], cmap: str, norm: Normalize, label: str):
    """A colour bar beside the axes."""
    scale = matplotlib.cm.ScalarMappable(norm, cmap)
    return figure.colorbar(scale, ax=axes, label=label, shrink=0.9, pad=0.02, aspect=15)


def percent(row: pd.Series) -> str:
    """A dissimilarity and its interval, as a square's text."""
    value, low, high = (
        f"{number:.0f}" if number >= 99.5 else f"{number:.2g}"
        for number in (row["dissimilarity_percent"], row["low"], row["high"])
    )
    return f"{value}\n[{low}, {high}]"


def failure_patch() -> Patch:
    """The legend's entry for what failed."""
    return Patch(facecolor="white", edgecolor=HATCH_COLOUR, hatch=HATCH, label="failed, and where")


def failure(row: pd.Series) -> str:
    """What a failed square says."""
    if row["status"] == "no_reference":
        return "no native\nreference"
    return f"{row['failed_stage']}\nfailed"
