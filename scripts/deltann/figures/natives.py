"""Heat maps of label dissimilarity between a model's sources: the paper's appendix, figure 1."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import pages, style
from deltann.figures.targets import BAR, label_norm, pair_grid
from deltann.tables import variant_names

TABLE = "natives"
CAPTION = (
    "Top-1 labels that differ between every two frameworks' own models, in percent of the "
    "images with Wilson's 95 % interval. Each model is unconverted and has its own weights, "
    "preprocessing and runtime (the paper's appendix, figure 1)."
)
TITLE = "Do the frameworks' own models agree?"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """One heat map per model, resizer and device.

    Args:
        table: `natives.csv`, one row per pair of sources.
    """
    if table.empty:
        return pages.nothing(TITLE, "no model of the study comes from two frameworks.")
    table = table.assign(name_a=table["source_a"], name_b=table["source_b"])
    norm = label_norm(table)
    panels = [
        pages.Panel(variant_names.title(table, shared), pair_grid(rows), norm, BAR)
        for shared, rows in variant_names.groups(table, ["model", "resizer", "device"])
    ]
    caption = (
        "Top-1 label dissimilarity between every two sources of a model, unconverted, each with "
        "its framework's own weights, preprocessing and runtime (the paper's appendix, figure 1), "
        f"over {style.images(table)}, in percent. In brackets, if there is room: Wilson's "
        f"95 % interval.{style.hatched(table)}"
    )
    return pages.squares(panels, TITLE, caption)
