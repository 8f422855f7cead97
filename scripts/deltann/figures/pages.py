"""Pages of panels: as many panels on a page as are legible in print, the rest on more pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from deltann.figures import heatmaps, style

# Inches: a page's text height, the part of it for title and caption, the width of a colour bar, the
# width of an axis' name, the largest width of a square, and the least width of a page.
HEIGHT = 9.0
CAPTION = 1.1
BAR, AXIS = 0.95, 0.3
SQUARE, NARROWEST = 1.5, 4.4
VERTICAL = 0.7  # inches of a vertical name of a column; longer ones have numbers


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
    grid: heatmaps.Grid
    norm: Normalize
    bar: str
    rows: str = ""
    cmap: str = style.SEQUENTIAL

    @property
    def row(self) -> float:
        """Inches of a row."""
        inside = _lines([*self.grid.texts.values(), *self.grid.failures.values()])
        return max(0.34, 0.08 + style.LINE * max(inside, _lines(self.grid.row_names)))

    @property
    def frame(self) -> float:
        """Inches of the title and the column names, which are vertical if they don't fit."""
        names = self.grid.column_names
        square = (style.WIDTH - heatmaps.row_width(self.grid) - AXIS - BAR) / max(1, len(names))
        return 0.4 + _names_height(names, min(SQUARE, square))

    @property
    def height(self) -> float:
        """Inches."""
        return max(1.1, self.frame + self.row * len(self.grid.rows))

    def split(self, height: float) -> Iterator["Panel"]:
        """Panels of the rows that fit into so many inches each."""
        rows = self.grid.rows
        step = max(1, int((height - self.frame) / self.row))
        for start in range(0, len(rows), step):
            grid = replace(self.grid, rows=rows[start : start + step])
            yield replace(self, grid=grid, title=self.title + MORE * (start > 0))


MORE = " (continued)"


def _names_height(names: list[str], square: float) -> float:
    """Inches of the names of columns."""
    if style.fitting(names, square) >= style.SMALLEST:
        return 0.13 * _lines(names)
    return style.text_width(names, style.SMALLEST) + 0.08


def _lines(texts: list[str]) -> int:
    return max((text.count("\n") + 1 for text in texts), default=1)


def heat(panels: list[Panel], title: str, caption: str) -> Iterator[Figure]:
    """Heat maps one below the other, on as many pages as needed."""
    fitting = [part for panel in panels for part in panel.split(HEIGHT - CAPTION)]
    return (_heat_page(page, title, caption) for page in paginate(fitting))


def _heat_page(panels: list[Panel], title: str, caption: str) -> Figure:
    heights = [panel.height for panel in panels]
    names = max(heatmaps.row_width(panel.grid) for panel in panels)
    columns = max(len(panel.grid.columns) for panel in panels)
    titles = [panel.title for panel in panels]
    texts = 0.2 + max(
        style.text_width([title], 1.15 * style.TITLE),
        names + AXIS + style.text_width(titles, style.NORMAL),
    )
    wide = min(style.WIDTH, max(NARROWEST, texts, names + AXIS + BAR + SQUARE * columns))
    more = style.filled(caption, wide).count("\n") - style.filled(caption, style.WIDTH).count("\n")
    size = (wide, CAPTION + style.LINE * more + sum(heights))
    ratios = {"height_ratios": heights}
    figure = Figure(figsize=size)
    axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw=ratios)
    for ax, panel in zip(axes.flat, panels, strict=True):
        square = (wide - names - AXIS - BAR) / len(panel.grid.columns)
        heatmaps.heatmap(ax, panel.grid, panel.cmap, panel.norm, square)
        ax.set_title(panel.title, loc="left")
        ax.set_ylabel(panel.rows)
        bar = panel.height - panel.frame
        heatmaps.colour_bar(figure, ax, panel.cmap, panel.norm, panel.bar, bar)
    figure.align_ylabels(axes[:, 0])
    style.caption(figure, title, caption)
    return figure


def squares(panels: list[Panel], title: str, caption: str) -> Iterator[Figure]:
    """Square heat maps of one scale, side by side if they are small, on as many pages as needed."""
    widest = max(len(panel.grid.columns) for panel in panels)
    across = next(n for n in (3, 2, 1) if n == 1 or (n <= len(panels) and _fits(panels, n)))
    width = (style.WIDTH - BAR) / max(across, 2 if widest <= 6 else 1)
    panels = [_numbered(panel, width) for panel in panels]
    names = max(heatmaps.row_width(panel.grid) for panel in panels)
    side = width - names - 0.2
    height = (
        0.4 + side + max(_names_height(panel.grid.column_names, side / widest) for panel in panels)
    )
    down = max(1, int((HEIGHT - CAPTION) / height))
    pages = (panels[i : i + across * down] for i in range(0, len(panels), across * down))
    return (_square_page(page, across, (width, height, side), title, caption) for page in pages)


def _fits(panels: list[Panel], across: int) -> bool:
    """Whether so many panels side by side have room for their texts."""
    width = (style.WIDTH - BAR) / across
    return all(
        style.fitting(
            [*panel.grid.texts.values(), *panel.grid.failures.values()],
            (width - heatmaps.row_width(panel.grid) - 0.2) / len(panel.grid.columns),
        )
        >= style.SMALLEST
        for panel in panels
    )


def _numbered(panel: Panel, width: float) -> Panel:
    """A panel with numbers for the columns' names, if these don't fit; rows are numbered too."""
    names = panel.grid.rows
    lines = [name.replace("\n", " ") for name in names]
    square = (width - heatmaps.row_width(panel.grid) - 0.2) / len(names)
    tall = style.LINE * _lines(names) < square
    short = style.text_width(names, style.SMALLEST) < VERTICAL and _lines(names) == 1
    if tall and (short or style.fitting(names, square) >= style.SMALLEST):
        return panel
    keys = {name: str(number) for number, name in enumerate(names, start=1)}
    labels = dict(zip(names, names if tall else lines, strict=True))
    labels = {name: f"{label}  {keys[name]}" for name, label in labels.items()}
    return replace(panel, grid=replace(panel.grid, labels=labels, column_labels=keys))


def _square_page(
    panels: list[Panel], across: int, inches: tuple[float, float, float], title: str, caption: str
) -> Figure:
    width, height, side = inches
    down = -(-len(panels) // across)
    wide = style.WIDTH if across > 1 or width > 4 else width + 2 * BAR
    size = (wide, CAPTION + height * down)
    figure = Figure(figsize=size)
    axes = figure.subplots(down, across, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, panel in zip(axes.flat, panels, strict=False):
        square = side / len(panel.grid.columns)
        heatmaps.heatmap(ax, panel.grid, panel.cmap, panel.norm, square)
        ax.set_title(panel.title, loc="left")
    first = panels[0]
    heatmaps.colour_bar(figure, list(axes.flat), first.cmap, first.norm, first.bar, side * down)
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
    figure = Figure(figsize=(style.WIDTH, 0.7))
    style.caption(figure, title, f"Nothing to draw: {why}")
    yield figure
