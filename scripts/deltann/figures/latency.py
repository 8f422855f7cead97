"""Time per backend and device, relative to O0 of the same model file on the same device."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import dots, pages, style
from deltann.tables import variant_names

TABLE = "latency"
CAPTION = (
    "Time per image at batch 1 relative to O0 of the same model file on the same device, with "
    "95 % bootstrap intervals over images."
)
TITLE = "How the compiler's level changes time"
BASE = "O0"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and source, a panel per device, a row per target, a mark per backend.

    Args:
        table: `latency.csv`, one row per cell.
    """
    variants = variant_names.Variants(table)
    table = table[table["backend"] != BASE]
    if table.empty:
        return pages.nothing(TITLE, f"the study has no backend but {BASE}.")
    if not table["ratio"].notna().any():
        return pages.nothing(TITLE, f"no cell ran at {BASE}, which the times are relative to.")
    table = table.assign(
        row=table.apply(variants.lines, axis=1),
        panel="on " + table["device"],
        series=table["backend"],
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
        f"Time per image over that of {BASE} of the same target on the same device, batch 1, over "
        f"{style.images(table)}, on a log scale. Bars: 95 % bootstrap interval over images (often "
        "smaller than the mark), without the variation between runs. Native: the framework's own "
        "runtime."
    )
    return dots.draw(items, f"time relative to {BASE} (below 1: faster)", BASE, TITLE, caption)
