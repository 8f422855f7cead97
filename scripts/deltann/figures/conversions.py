"""Sources by targets: what each conversion changes in labels and logits, every route on its own."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from deltann.cell import NATIVE
from deltann.figures import pages, style
from deltann.figures.targets import label_norm
from deltann.tables import variant_names

TABLE = "conversions"
CAPTION = (
    "Sources by targets, each route separately. Each converted model runs in the target "
    "framework's own runtime and is compared with the unconverted model in its own: images "
    "with another top-1 label, in percent with Wilson's 95 % interval, and the largest logit "
    "difference. Failed conversions are hatched and name their stage."
)
TITLE = "What conversion changes in the answers"
LABELS, LOGITS = "top-1 labels that differ", "largest logit difference"
COLUMN = "max_logit_difference"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, preprocessing, resizer and device, a matrix of labels and one of logits.

    Args:
        table: `conversions.csv`, one row per cell compared with the native one.
    """
    table = table[(table["backend"] == NATIVE) & (table["target"] != table["source"])]
    if table.empty:
        return pages.nothing(TITLE, "no converted model ran, or failed, in its own runtime.")
    variants = variant_names.Variants(table)
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", *variant_names.PREPARATION, "device"]
    ):
        title = variant_names.title(table, shared)
        grid = _grid(rows, variants, labels_text)
        panels.append(pages.Panel(f"{title}: {LABELS}", grid, label_norm(table), "%", "source"))
        grid = _grid(rows, variants, logits_text)
        panels.append(
            pages.Panel(f"{title}: {LOGITS}", grid, logit_norm(table), "logits", "source")
        )
    caption = (
        "Rows: the framework a model comes from; columns: the one it is converted to, by each "
        "route; run by that framework's own runtime and compared with the unconverted model in "
        f"its own, over {style.images(table)}. Labels: share of images with another top-1 label, "
        "in brackets, where there is room, Wilson's 95 % interval. Logits: largest absolute "
        "difference over images and classes, colours on a log scale. Hatched: failed, with the "
        "stage. Where a pair has several routes, each says by which edges it differs."
    )
    return pages.heat(panels, TITLE, caption)


def _grid(table: pd.DataFrame, variants: variant_names.Variants, text) -> style.Grid:
    """Sources, with a sub-row per route, by targets."""
    several = table.groupby(["source", "target"])["route"].nunique()
    rows, names = [], {}
    sources = style.ordered(table["source"])
    for source in sources:
        count = several[source].max()
        for number in range(count):
            rows.append(f"{source}/{number}")
            names[rows[-1]] = "" if number else source
    grid = style.Grid(rows, style.ordered([*sources, *table["target"]]), labels=names)
    place: dict[tuple[str, str], int] = {}
    for _, row in table.iterrows():
        pair = (row["source"], row["target"])
        key = (f"{row['source']}/{place.get(pair, 0)}", row["target"])
        place[pair] = place.get(pair, 0) + 1
        put(grid, key, row, text, variant_names.wrapped(variants.route(row)))
    grid.texts |= {(f"{source}/0", source): "native" for source in sources}
    return grid


def put(
    grid: style.Grid,
    key: tuple[str, str],
    row: pd.Series,
    text: Callable[[pd.Series], tuple[float, str]],
    below: Iterable[str] = (),
) -> None:
    """Set a square from a row: its number and text, or its failure.

    Args:
        grid: whose.
        key: the square.
        row: of the table.
        text: a row's number and text.
        below: lines under the text, which then takes one line itself.
    """
    if row["status"] == "ok":
        grid.values[key], words = text(row)
    else:
        words = style.failure(row)
    below = [line for line in below if line]
    words = "\n".join([words.replace("\n", " "), *below]) if below else words
    (grid.texts if row["status"] == "ok" else grid.failures)[key] = words


def labels_text(row: pd.Series) -> tuple[float, str]:
    """The share of images with another label, and its text."""
    return row["dissimilarity_percent"], style.percent(row)


def logits_text(row: pd.Series) -> tuple[float, str]:
    """The largest difference of a logit, and its text."""
    return row[COLUMN], number(row[COLUMN])


def number(value: float) -> str:
    """A logit difference in a few letters."""
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 0.01 else f"{value:.2g}"


def logit_norm(table: pd.DataFrame) -> LogNorm:
    """Colours of logit differences: whole decades, at least one. Zeros take the lowest colour."""
    positive = table[COLUMN][table[COLUMN] > 0]
    low, high = np.log10([positive.min(), positive.max()]) if len(positive) else (-6.0, 0.0)
    return LogNorm(10 ** np.floor(low), 10 ** (np.floor(high) + 1), clip=True)
