"""Time across frameworks, per device and level: the paper's figures 6 to 14."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import dots, pages, style
from deltann.tables import variant_names

TABLE = "frameworks"
CAPTION = (
    "Time per image at batch 1 relative to the reference framework's unconverted model on the "
    "same device with the same backend, with 95 % bootstrap intervals over images: targets "
    "against the model they were converted from, and each framework's own model against that "
    "of the first framework (the paper's figures 6 to 14)."
)
TITLE = "How the framework changes time"
NATIVES = "native"
SHARED = ["model", "comparison", "reference_framework", *variant_names.PREPARATION]


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and comparison, a panel per device, a row per framework, a mark per backend.

    Args:
        table: `frameworks.csv`, one row per cell and comparison.
    """
    variants = variant_names.Variants(table)
    same = (table["target"] == table["reference_framework"]) & (table["ratio"] == 1)
    table = table[~same]
    if table.empty:
        return pages.nothing(TITLE, "the study has one framework.")
    table = table.assign(
        row=table.apply(variants.lines, axis=1),
        panel="on " + table["device"],
        series=table["backend"],
    )
    series = style.ordered(table["series"])
    items = []
    for shared, rows in variant_names.groups(table, SHARED):
        reference = shared["reference_framework"]
        kind = "the frameworks' own models" if shared["comparison"] == NATIVES else "converted"
        start = f"{shared['model']}, {kind}, relative to {reference}"
        title = ", ".join([start, *variant_names.preparation(table, shared)])
        items += dots.strips(title, rows, series)
    caption = (
        "Time per image over that of the reference framework's unconverted model on the same "
        f"device with the same backend, batch 1, over {style.images(table)}, on a log scale. "
        "Converted: targets against the model they were converted from. Own models: each "
        "framework's unconverted model against that of the first framework, as in the paper's "
        "figures 6 to 14, which show times (the table has the median milliseconds). Bars: 95 % "
        "bootstrap interval over images, without the variation between runs."
    )
    axis = "time relative to the reference (below 1: faster)"
    return dots.draw(items, axis, "reference", TITLE, caption)
