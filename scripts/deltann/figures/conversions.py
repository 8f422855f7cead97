"""Sources by targets: how each conversion changes labels and logits, each route separately."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from deltann.cell import NATIVE
from deltann.figures import heatmaps, pages, style
from deltann.figures.targets import label_norm
from deltann.tables import variant_names

TABLE = "conversions"
NEEDS = "conversions"
CAPTION = (
    "Sources by targets, each route separately. Each converted model runs in the target "
    "framework's own runtime and is compared with the unconverted model in its own: images "
    "with another top-1 label, in percent with Wilson's 95 % interval, and the largest logit "
    "difference."
)
TITLE = "How conversion changes the answers"
LABELS, LOGITS = "top-1 labels that differ", "largest logit difference"
LABELS_BAR, LOGITS_BAR = "labels (%)", "logits"  # short enough for a bar beside two rows
COLUMN = "max_logit_difference"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, preprocessing, resizer and device, a matrix of labels and one of logits.

    Args:
        table: `conversions.csv`, one row per cell compared with the native one.
    """
    table = table[(table["backend"] == NATIVE) & (table["target"] != table["source"])]
    if table.empty:
        return pages.nothing(TITLE, "the study has no converted model in its own runtime.")
    variants = variant_names.Variants(table)
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", *variant_names.PREPARATION, "device"]
    ):
        title = variant_names.title(table, shared)
        grid = _grid(rows, variants, labels_text)
        panels.append(
            pages.Panel(f"{title}: {LABELS}", grid, label_norm(table), LABELS_BAR, "source")
        )
        grid = _grid(rows, variants, logits_text)
        panels.append(
            pages.Panel(f"{title}: {LOGITS}", grid, logit_norm(table), LOGITS_BAR, "source")
        )
    caption = (
        "Rows: the framework a model comes from. Columns: the framework it is converted to, by "
        "each route. Each converted model runs in that framework's own runtime and is compared "
        f"with the unconverted model in its own, over {style.images(table)}. Labels: percent of "
        "images with another top-1 label; in brackets, if there is room, Wilson's 95 % interval. "
        "Logits: the largest absolute difference over images and classes, with colours on a log "
        f"scale. If a pair has several routes, each square names the edges that differ."
        f"{style.hatched(table)}"
    )
    return pages.heat(panels, TITLE, caption)


def _grid(table: pd.DataFrame, variants: variant_names.Variants, text: Any) -> heatmaps.Grid:
    """Sources by targets; a source has a sub-row per route."""
    several = table.groupby(["source", "target"])["route"].nunique()
    rows, names = [], {}
    sources = style.ordered(table["source"])
    for source in sources:
        count = several[source].max()
        for number in range(count):
            rows.append(f"{source}/{number}")
            names[rows[-1]] = "" if number else source
    grid = heatmaps.Grid(rows, style.ordered([*sources, *table["target"]]), labels=names)
    placed: dict[tuple[str, str], int] = {}
    for _, row in table.iterrows():
        pair = (row["source"], row["target"])
        key = (f"{row['source']}/{placed.get(pair, 0)}", row["target"])
        placed[pair] = placed.get(pair, 0) + 1
        put(grid, key, row, text, variant_names.wrapped(variants.route(row)))
    grid.texts |= {(f"{source}/0", source): "native" for source in sources}
    return grid


def put(
    grid: heatmaps.Grid,
    key: tuple[str, str],
    row: pd.Series,
    text: Callable[[pd.Series], tuple[float, str]],
    below: Iterable[str] = (),
) -> None:
    """Set a square from a row: its number and text, or its failure.

    Args:
        grid: the heat map's squares, which are changed.
        key: the square's row and column.
        row: a row of the table.
        text: gives a row's number and text.
        below: lines below the text, which is then put on one line.
    """
    if row["status"] == "ok":
        grid.values[key], content = text(row)
    else:
        content = heatmaps.failure(row)
    below = [line for line in below if line]
    content = "\n".join([content.replace("\n", " "), *below]) if below else content
    (grid.texts if row["status"] == "ok" else grid.failures)[key] = content


def labels_text(row: pd.Series) -> tuple[float, str]:
    """The percentage of images with another label, and its text."""
    return row["dissimilarity_percent"], heatmaps.percent(row)


def logits_text(row: pd.Series) -> tuple[float, str]:
    """The largest logit difference, rounded as its text is, so that equal texts look alike."""
    text = number(row[COLUMN])
    return float(text), text


def number(value: float) -> str:
    """A logit difference as a short text."""
    if value == 0:
        return "0"
    if value < 0.01:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:#.2g}".removesuffix(".") if value < 100 else f"{value:.0f}"


def logit_norm(table: pd.DataFrame) -> LogNorm:
    """A scale of logit differences: whole decades, at least one. Zero has the lowest colour."""
    positive = table[COLUMN][table[COLUMN] > 0]
    low, high = np.log10([positive.min(), positive.max()]) if len(positive) else (-6.0, 0.0)
    return LogNorm(10 ** np.floor(low), 10 ** (np.floor(high) + 1), clip=True)
