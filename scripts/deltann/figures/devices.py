"""Time across devices, level by level: the paper's figures 3 to 5 and 15 to 17."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import dots, labels, pages, style

TITLE = "What the device does to time"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and source, a panel per backend, a row per target, a mark per device.

    Args:
        table: `devices.csv`, one row per cell.
    """
    variants = labels.Variants(table)
    first = table["reference_device"].iloc[0] if len(table) else ""
    backends = table[table["device"] != first]["backend"].unique()
    table = table[table["backend"].isin(backends) & (table["device"] != first)]
    if table.empty:
        return pages.nothing(TITLE, "this study has one device.")
    table = table.assign(
        row=table.apply(variants.lines, axis=1), panel=table["backend"], series=table["device"]
    )
    series = style.ordered(table["series"])
    items = [
        strip
        for held, rows in labels.by(table, ["model", "source", *labels.PREPARATION])
        for strip in dots.strips(labels.title(table, held), rows, series)
    ]
    caption = (
        f"Time per image over that of the same model file and backend on {first}, batch 1, over "
        f"{style.images(table)}, log scale (the paper's figures 3 to 5 and 15 to 17 show times; "
        "the table has the median milliseconds). Bars: 95 % bootstrap interval over images; it "
        "leaves out what varies between runs."
    )
    return dots.draw(items, f"time relative to {first} (below 1: faster)", first, TITLE, caption)
