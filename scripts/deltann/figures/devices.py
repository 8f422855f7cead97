"""Time across devices, level by level: the paper's figures 3 to 5 and 15 to 17."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import dots, pages, style
from deltann.tables import variant_names

TABLE = "devices"
CAPTION = (
    "Time per image at batch 1 relative to the same model file and backend on the study's "
    "first device, with 95 % bootstrap intervals over images (the paper's figures 3 to 5 and "
    "15 to 17)."
)
TITLE = "How the device changes time"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and source, a panel per backend, a row per target, a mark per device.

    Args:
        table: `devices.csv`, one row per cell.
    """
    variants = variant_names.Variants(table)
    first = table["reference_device"].iloc[0] if len(table) else ""
    table, others = dots.compared(table[table["device"] != first])
    if table.empty:
        return pages.nothing(TITLE, "no cell ran on two devices.")
    table = table.assign(
        row=table.apply(variants.lines, axis=1), panel=table["backend"], series=table["device"]
    )
    series = style.ordered(table["series"])
    items = [
        strip
        for shared, rows in variant_names.groups(
            table, ["model", "source", *variant_names.PREPARATION]
        )
        for strip in dots.strips(variant_names.title(table, shared), rows, series)
    ]
    caption = (
        f"Time per image over that of the same model file and backend on {first}, batch 1, over "
        f"{style.images(table)}, on a log scale (the paper's figures 3 to 5 and 15 to 17 show "
        "times; the table has the median milliseconds). Bars: 95 % bootstrap interval over images, "
        f"without the variation between runs.{others}{dots.remarks(table)}"
    )
    return dots.draw(items, f"time relative to {first} (below 1: faster)", first, TITLE, caption)
