"""Heat maps of label dissimilarity between the targets of a model, each in its own runtime."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from deltann.figures import heatmaps, pages, style
from deltann.tables import variant_names

TABLE = "targets"
CAPTION = (
    "Top-1 labels that differ between every two targets of a model, each route separately, in "
    "percent of the images with Wilson's 95 % interval. Each target runs in its framework's "
    "own runtime on the same prepared images."
)
TITLE = "Do a model's versions in different frameworks agree?"
SHARED = ["model", "source", *variant_names.PREPARATION, "device"]


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """One heat map per model, source, preprocessing, resizer and device.

    Args:
        table: `targets.csv`, one row per pair of targets.
    """
    if table.empty:
        return pages.nothing(TITLE, "no model has two targets in their own runtimes.")
    sides = {side: _side(table, side) for side in "ab"}
    variants = variant_names.Variants(pd.concat(sides.values()))
    names = {side: rows.apply(variants.lines, axis=1) for side, rows in sides.items()}
    table = table.assign(name_a=names["a"], name_b=names["b"])
    norm = label_norm(table)
    panels = [
        pages.Panel(variant_names.title(table, shared), pair_grid(rows), norm, BAR)
        for shared, rows in variant_names.groups(table, SHARED)
    ]
    caption = (
        "Top-1 label dissimilarity between every two targets, each run by its framework's own "
        f"runtime on the same prepared images, over {style.images(table)}, in percent. In "
        f"brackets, if there is room: Wilson's 95 % interval.{style.hatched(table)}"
    )
    return pages.squares(panels, TITLE, caption)


BAR = "images with another top-1 label (%)"


def label_norm(table: pd.DataFrame) -> Normalize:
    """A scale of dissimilarities in percent."""
    # at least 0 to 10 %, so that a study without differences has no strong colours
    return Normalize(0, max(10, table["dissimilarity_percent"].fillna(0).max()))


def pair_grid(table: pd.DataFrame) -> heatmaps.Grid:
    """Pairs `name_a`, `name_b` as a symmetric grid; `failed` says which side failed."""
    names = style.ordered([*table["name_a"], *table["name_b"]])
    grid = heatmaps.Grid(names, names)
    for _, row in table.iterrows():
        pair = (row["name_a"], row["name_b"])
        for key in (pair, pair[::-1]):
            if row["status"] == "ok":
                grid.values[key] = row["dissimilarity_percent"]
                grid.texts[key] = heatmaps.percent(row)
            else:
                grid.failures[key] = heatmaps.failure(row)
        for side in str(row["failed"]).split(";") if row["status"] != "ok" else ():
            name = row[f"name_{side}"]
            grid.failures[name, name] = "failed"
    grid.texts |= {(name, name): "same" for name in names}
    return grid


def _side(table: pd.DataFrame, side: str) -> pd.DataFrame:
    shared = table[["model", "source"]]
    return shared.assign(target=table[f"target_{side}"], route=table[f"route_{side}"])
