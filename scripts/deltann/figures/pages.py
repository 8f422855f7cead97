"""Pages of panels: as many panels on a page as are legible in print, the rest on more pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from matplotlib import pyplot as plt
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from deltann.figures import style

# Inches: a page's text height, the part of it for title and caption, the width of a colour bar, the
# width of an axis' name, and the height of a line of small type.
HEIGHT = 9.0
CAPTION = 1.1
BAR, AXIS = 0.85, 0.3
LINE = 0.11


class Block(Protocol):
    """A part of a page, with its height in inches."""

    @property
    def height(self) -> float:
        """Inches."""


SomeBlock = TypeVar("SomeBlock", bound=Block)


@dataclass
class Panel:
    """A heat map.

    Attributes:
        title: of the heat map.
        grid: its squares.
        norm: the scale of its colours.
        bar: the label of its colour bar.
        rows: the label of its rows.
        cmap: a colour map's name.
    """

    title: str
    grid: style.Grid
    norm: Normalize
    bar: str
    rows: str = ""
    cmap: str = style.SEQUENTIAL

    @property
    def height(self) -> float:
        """Inches, including title and column names."""
        inside = _lines([*self.grid.texts.values(), *self.grid.failures.values()])
        names = [self.grid.labels.get(row, row) for row in self.grid.rows]
        row = max(0.34, 0.08 + LINE * max(inside, _lines(names)))
        return max(0.9, 0.4 + self._columns() + row * len(self.grid.rows))

    def _columns(self) -> float:
        """Inches of the column names, which are vertical if they don't fit in a row."""
        names = self.grid.columns
        square = (style.WIDTH - style.row_width(self.grid) - AXIS - BAR) / max(1, len(names))
        if style.fitting(names, square) >= style.SMALLEST:
            return 0.13 * _lines(names)
        return style.text_width(names, style.SMALL - 1) + 0.05


def _lines(texts: list[str]) -> int:
    return max((text.count("\n") + 1 for text in texts), default=1)


def heat(panels: list[Panel], title: str, caption: str) -> Iterator[Figure]:
    """Heat maps one below the other, on as many pages as needed."""
    return (_heat_page(page, title, caption) for page in paginate(panels))


def _heat_page(panels: list[Panel], title: str, caption: str) -> Figure:
    heights = [panel.height for panel in panels]
    size = (style.WIDTH, CAPTION + sum(heights))
    ratios = {"height_ratios": heights}
    figure, axes = plt.subplots(len(panels), 1, figsize=size, squeeze=False, gridspec_kw=ratios)
    names = max(style.row_width(panel.grid) for panel in panels)
    for ax, panel in zip(axes.flat, panels, strict=True):
        square = (style.WIDTH - names - AXIS - BAR) / len(panel.grid.columns)
        style.heatmap(ax, panel.grid, panel.cmap, panel.norm, square)
        ax.set_title(panel.title, loc="left")
        ax.set_ylabel(panel.rows)
        style.colour_bar(figure, ax, panel.cmap, panel.norm, panel.bar, panel.height - 0.5)
    figure.align_ylabels(axes[:, 0])
    style.caption(figure, title, caption)
    return figure


def squares(panels: list[Panel], title: str, caption: str) -> Iterator[Figure]:
    """Square heat maps of one scale, side by side if they are small, on as many pages as needed."""
    widest = max(len(panel.grid.columns) for panel in panels)
    across = min(len(panels), 3 if widest <= 4 else 2 if widest <= 6 else 1)
    width = (style.WIDTH - BAR) / max(across, 2 if widest <= 6 else 1)
    down = max(1, int((HEIGHT - CAPTION) / width))
    pages = (panels[i : i + across * down] for i in range(0, len(panels), across * down))
    return (_square_page(page, across, width, title, caption) for page in pages)


def _square_page(
    panels: list[Panel], across: int, width: float, title: str, caption: str
) -> Figure:
    down = -(-len(panels) // across)
    wide = style.WIDTH if across > 1 or width > 4 else width + 2 * BAR
    size = (wide, CAPTION + width * down)
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, panel in zip(axes.flat, panels, strict=False):
        square = (width - style.row_width(panel.grid) - 0.2) / len(panel.grid.columns)
        style.heatmap(ax, panel.grid, panel.cmap, panel.norm, square)
        ax.set_title(panel.title)
        ax.set_aspect("equal")
    first = panels[0]
    style.colour_bar(figure, list(axes.flat), first.cmap, first.norm, first.bar, down * width)
    style.caption(figure, title, caption)
    return figure


def paginate(
    items: Iterable[SomeBlock], height: float = HEIGHT - CAPTION
) -> Iterator[list[SomeBlock]]:
    """Lists of items, in order, that fit on a page each; a taller item has its own page."""
    page: list[SomeBlock] = []
    for item in items:
        if page and sum(one.height for one in page) + item.height > height:
            yield page
            page = []
        page.append(item)
    if page:
        yield page


def nothing(title: str, why: str) -> Iterator[Figure]:
    """A page that says why there is nothing to draw."""
    figure = plt.figure(figsize=(style.WIDTH, 0.7))
    style.caption(figure, title, f"Nothing to draw: {why}")
    yield figure
