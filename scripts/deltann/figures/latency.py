"""Milliseconds per image of every cell, coloured by whether its answers stayed the same."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deltann.cell import COMPILATION, SOURCE
from deltann.figures import dots, legends, pages, style, time_axis
from deltann.images import conventions
from deltann.precision import FLOAT32
from deltann.tables import variant_names
from deltann.tables.comparisons import IDENTICAL, LABELS, LOGITS
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.routes import REFERENCE

TABLE = "pareto"
CAPTION = (
    "Milliseconds per image at batch 1 of every cell, on a log scale, with 95 % bootstrap "
    "intervals over images. Colour and marker: whether the answers are those of the unconverted "
    "model in its own framework's runtime."
)
TITLE = "How long each cell takes, and whether it still answers the same"
# Per outcome: colour, marker and what the legend says.
LOOKS = {
    REFERENCE: ("#000000", "D", "the reference"),
    IDENTICAL: (style.COLOURS[0], "o", "same labels, same logits"),
    LOGITS: (style.COLOURS[4], "s", "same labels, logits differ"),
    LABELS: (style.COLOURS[5], "^", "labels changed, and on how many images"),
    NO_REFERENCE: ("#888888", "v", "no reference"),
}
ROW, LINE, FRAME = 0.18, 0.12, 0.75  # inches: a row, more lines of its name, title and axis
# The legend has two lines at most.
HEIGHT = pages.HEIGHT - pages.CAPTION - 0.42
ACROSS = 2  # panels side by side
LETTERS = 36  # of a line of a row's name


class Names(variant_names.Variants):
    """Short names of cells beside their target: `Variants`, with the backend and the precision.

    A cell without a precision in its name computes in float32, or all compute in the same.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        super().__init__(table)
        self.precisions = table["precision"].nunique() > 1

    def without_target(self, row: pd.Series) -> str:
        """What tells a cell from others of its target: `O4, int8 (ort_static)`."""
        lowered = isinstance(row["precision"], str) and row["precision"] != FLOAT32
        name = row["backend"] + (f", {row['precision']}" if self.precisions and lowered else "")
        details = self.details(row)
        if row["preprocessing"] != SOURCE:
            words = conventions.in_words(row["preprocessing"])
            details.append(words.removeprefix("the ").removesuffix(" convention"))
        return name + (f" ({', '.join(details)})" if details else "")


@dataclass
class Section:
    """Panels side by side, one per device, that share their rows.

    Attributes:
        title: of the section, above the first panel.
        rows: the rows from the top: a key and a name, of one or more lines; a heading's key is
            None.
        table: the cells, with the columns `key` and `where`, which names the device if need be.
        devices: the panels, from the left.
        limits: of the axis, in milliseconds.
    """

    title: str
    rows: list[tuple[str | None, str]]
    table: pd.DataFrame
    devices: list[str]
    limits: tuple[float, float]

    @property
    def edges(self) -> list[float]:
        """The rows' upper edges, and the last one's lower one, in inches from the top."""
        return [0, *np.cumsum([_row_height(name) for _, name in self.rows]).tolist()]

    @property
    def shown(self) -> pd.DataFrame:
        """The cells of the rows."""
        return self.table[self.table["key"].isin([key for key, _ in self.rows])]

    @property
    def height(self) -> float:
        """Inches, including title and axis."""
        return FRAME + self.edges[-1]


def _row_height(name: str) -> float:
    return ROW + LINE * name.count("\n")


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, source and resizer, a panel per device, a row per cell, by target.

    Args:
        table: `pareto.csv`, one row per cell.
    """
    table, emulated = time_axis.without_emulated(table)
    if table.empty:
        return pages.nothing(TITLE, "the study has no cell that is timed.")
    names = Names(table)
    keyed = ["target", "route", "preprocessing", *COMPILATION, "backend"]
    table = table.assign(
        name=[_wrapped(names.without_target(row)) for _, row in table.iterrows()],
        key=table[keyed].agg("/".join, axis=1),
        where=("on " + table["device"]) if table["device"].nunique() > 1 else "",
    )
    items: list[Section] = []
    for shared, rows in variant_names.groups(table, ["model", "source", "resizer"]):
        title = variant_names.title(table, shared)
        devices = style.ordered(rows["device"])
        for start in range(0, len(devices), ACROSS):
            chosen = devices[start : start + ACROSS]
            items += _sections(title, rows[rows["device"].isin(chosen)], chosen)
    plain = " A cell without a named precision computes in float32." * names.precisions
    hollow = " Hollow: the timing was disturbed." * bool(_disturbed(table).any())
    caption = (
        f"Milliseconds per image at batch 1, over {style.images(table)}, on a log scale; each "
        "target's cells from the fastest. Bars: 95 % bootstrap interval over images (often smaller "
        "than the mark), without the variation between runs. The reference is the unconverted "
        "model in its own framework's runtime. Same logits: every logit within 0.0001 of the "
        f"image's largest. Native: the target's own runtime as it comes.{plain}{hollow}"
        f"{style.hatched(table)}{emulated}"
    )
    return (_page(page, caption) for page in pages.paginate(items, HEIGHT))


def _wrapped(name: str) -> str:
    return textwrap.fill(name, LETTERS, break_long_words=False, break_on_hyphens=False)


def _sections(title: str, table: pd.DataFrame, devices: list[str]) -> Iterator[Section]:
    """The sections of a model's cells, none higher than a page."""
    limits = time_axis.limits(table)
    rows: list[tuple[str | None, str]] = []
    room = HEIGHT - FRAME
    for target in style.ordered(table["target"]):
        group = table[table["target"] == target].sort_values("median_ms", kind="stable")
        cells = list(dict.fromkeys(zip(group["key"], group["name"], strict=True)))
        for number, (key, name) in enumerate(cells):
            used = sum(_row_height(name) for _, name in rows)
            # a heading has two cells below it
            if rows and used + _row_height(name) + (2 * ROW if not number else 0) > room:
                yield Section(title, rows, table, devices, limits)
                title, rows = f"{title.removesuffix(pages.MORE)}{pages.MORE}", []
            if not rows or not number:
                rows.append((None, target))
            rows.append((key, name))
    yield Section(title, rows, table, devices, limits)


def _page(items: list[Section], caption: str) -> Figure:
    handles = _handles(pd.concat([item.shown for item in items]))
    heights = [legends.height(handles), *(item.height for item in items)]
    figure = Figure(figsize=(style.WIDTH, pages.CAPTION + sum(heights)))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    legends.draw(figure.add_subplot(grid[0]), handles)
    for number, item in enumerate(items, start=1):
        inner = grid[number].subgridspec(1, len(item.devices))
        first: Axes | None = None
        for column, device in enumerate(item.devices):
            axes = figure.add_subplot(inner[column], sharex=first, sharey=first)
            rows = item.table[item.table["device"] == device]
            _panel(axes, item, rows)
            where = rows["where"].iloc[0]
            style.heading(axes, "" if column else item.title, where, "bold")
            if first is not None:
                axes.tick_params(labelleft=False)
            first = first or axes
    style.caption(figure, TITLE, caption)
    return figure


def _panel(axes: Axes, item: Section, table: pd.DataFrame) -> None:
    width = 4.5 / len(item.devices)
    time_axis.draw(axes, item.limits, width)
    cells = {row["key"]: row for _, row in table.iterrows()}
    edges = list(pairwise(item.edges))
    for (top, bottom), (key, _) in zip(edges, item.rows, strict=True):
        if key is None:
            axes.axhspan(top, bottom, color=style.BLANK, linewidth=0)
        elif key not in cells:
            continue
        elif cells[key]["median_ms"] > 0:
            _mark(axes, (top + bottom) / 2, cells[key], width)
        else:
            dots.failed(axes, top, bottom, dots.reason(cells[key]))
    middles = [(top + bottom) / 2 for top, bottom in edges]
    axes.set_yticks(middles, [name for _, name in item.rows], fontsize=style.NORMAL)
    for label, (key, _) in zip(axes.get_yticklabels(), item.rows, strict=True):
        label.set_fontweight("bold" if key is None else "normal")
    axes.set_ylim(item.edges[-1], 0)
    axes.tick_params(axis="y", length=0)


def _mark(axes: Axes, y: float, row: pd.Series, width: float) -> None:
    colour, marker, _ = LOOKS[row["outcome"]]
    time_axis.bar(axes, row, y, colour, marker)
    texts = [time_axis.milliseconds(row)]
    if row["outcome"] == LABELS:
        texts.append(f"{row['differing']:.0f} of {row['n']:.0f}")
    time_axis.beside_bar(axes, row, y, "   ".join(texts), width)


def _disturbed(table: pd.DataFrame) -> pd.Series:
    return (table["disturbed"] == 1) & (table["median_ms"] > 0)


def _handles(table: pd.DataFrame) -> list:
    """Entries of what these rows have."""
    drawn = table["median_ms"] > 0
    outcomes = set(table["outcome"][drawn])
    handles: list = [legends.dot(*look) for outcome, look in LOOKS.items() if outcome in outcomes]
    if _disturbed(table).any():
        handles.append(legends.disturbed())
    if not drawn.all():
        handles.append(legends.hatch("failed, and where"))
    return handles
