"""The figures' common look: type, colours, captions, and what of a text fits where."""

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

# Okabe and Ito's palette: distinct under every kind of colour blindness.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SEQUENTIAL, DIVERGING = "cividis", "PuOr"
HATCH, HATCH_COLOUR, BLANK = "////", "#999999", "#EEEEEE"
WIDTH = 7.0  # inches: the text width of a two-column page
SMALL, NORMAL = 7, 8
# Smaller type can't be read in print; text that doesn't fit is only in the CSV.
SMALLEST = 6
MARK = 4.5  # points
TITLE, LINE = 10, 0.115  # points; inches of a line of small type


def use() -> None:
    """Set type and layout for print; text in the PDF stays text."""
    matplotlib.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.06,
            "figure.constrained_layout.w_pad": 0.06,
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
    figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE, weight="bold")
    figure.supxlabel(filled(text, figure.get_figwidth()), x=0.01, ha="left", fontsize=SMALL)


def filled(text: str, width: float) -> str:
    """A caption in lines of so many inches."""
    return textwrap.fill(text, int(width * 19))


def heading(axes: Axes, title: str, name: str, weight: str = "normal") -> None:
    """A strip's title above the name of one of its panels, if that has one, at the left."""
    axes.set_title(name or title, loc="left", weight=weight)
    if name and title:
        at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        above = axes.annotate(title, (0, 1), (0, 1.8 * NORMAL + 2), weight=weight, **at)
        # it may be wider than the panel; the layout keeps its line free by an empty text
        above.set_in_layout(False)
        axes.annotate(" ", (0, 1), (0, 1.8 * NORMAL + 2), **at)


def images(table: pd.DataFrame) -> str:
    """The number of images behind a table's numbers, as text."""
    counts = sorted(table["n"].dropna().astype(int).unique())
    if not counts:
        return "no image (nothing to compare)"
    return f"{counts[0]} images" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} images"


def ordered(values: Iterable[str]) -> list[str]:
    """The distinct values, in the order of their first appearance."""
    return list(dict.fromkeys(values))


def text_width(texts: Iterable[str], size: float) -> float:
    """The width of the longest line in inches, in type of this size."""
    return size / 72 * max((_ems(line) for text in texts for line in text.split("\n")), default=0)


def fitting(texts: Iterable[str], width: float) -> float:
    """The type size, at most `SMALL`, at which the longest line fits into so many inches."""
    return min(SMALL, width / (text_width(texts, 1) + 0.4 / 72))


@cache
def _ems(line: str) -> float:
    """A line's width, as a multiple of the type's size."""
    font = FontProperties(size=100)
    width, _, _ = TextToPath().get_text_width_height_descent(line, font, ismath=False)
    return width / 100


def hatched(table: pd.DataFrame) -> str:
    """The sentence of a caption about what is hatched; empty if nothing failed."""
    words = {
        "failed": "failed, with the stage where there is room",
        "no_reference": "without a reference to compare with",
    }
    found = [text for status, text in words.items() if status in set(table["status"])]
    return f" Hatched: {'; or '.join(found)}." if found else ""
