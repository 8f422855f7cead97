"""Legends above a page's panels: one entry for each kind of mark that the page has."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from deltann.figures import style

# Inches: a line of a legend, the space below it, and an entry's mark with the space around it.
LINE, BELOW, MARK = 0.16, 0.1, 0.55


def dot(colour: str, marker: str, label: str, filled: bool = True, size: float = 5) -> Line2D:
    """The entry of a mark."""
    face = colour if filled else "white"
    look: dict[str, Any] = {"color": colour, "marker": marker, "markerfacecolor": face}
    return Line2D([], [], linewidth=0, markersize=size, label=label, **look)


def disturbed() -> Line2D:
    """The entry of marks whose timing was disturbed."""
    return dot("black", "o", "disturbed", filled=False)


def hatch(label: str) -> Patch:
    """The entry of hatched rows."""
    look: dict[str, Any] = {"hatch": style.HATCH, "edgecolor": style.HATCH_COLOUR}
    return Patch(facecolor="white", label=label, **look)


def height(handles: list) -> float:
    """Inches of a legend of these entries on a page `style.WIDTH` wide."""
    return BELOW + LINE * _lines(handles) if handles else 0.01


def draw(axes: Axes, handles: list) -> None:
    """Draw a legend in axes of its own, `height` inches high."""
    axes.set_axis_off()
    if handles:
        look: dict[str, Any] = {"frameon": False, "borderaxespad": 0, "handletextpad": 0.5}
        columns = -(-len(handles) // _lines(handles))
        axes.legend(handles=handles, loc="upper left", ncols=columns, numpoints=1, **look)


def _lines(handles: list) -> int:
    """The fewest lines whose columns, filled from the left, fit side by side."""
    widths = [MARK + style.text_width([str(one.get_label())], style.SMALL) for one in handles]
    for lines in range(1, len(widths)):
        columns = [widths[start : start + lines] for start in range(0, len(widths), lines)]
        if sum(map(max, columns)) <= style.WIDTH - 0.3:
            return lines
    return len(widths)
