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
KINDS = {
    "converted": "Converted: targets against the model they were converted from.",
    NATIVES: "Own models: each framework's unconverted model against that of the first framework, "
    "as in the paper's figures 6 to 14, which show times (the table has the median milliseconds).",
}
SHARED = ["model", "comparison", "reference_framework", *variant_names.PREPARATION]


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and comparison, a panel per device, a row per framework, a mark per backend.

    Args:
        table: `frameworks.csv`, one row per cell and comparison.
    """
    variants = variant_names.Variants(table)
    series = style.ordered(table["backend"])
    same = (table["target"] == table["reference_framework"]) & (table["ratio"] == 1)
    drawn, others = dots.compared(table[~same])
    if drawn.empty:
        return pages.nothing(TITLE, "no cell ran beside a reference.")
    several = table["device"].nunique() > 1
    drawn = drawn.assign(
        row=drawn.apply(variants.lines, axis=1),
        panel=("on " + drawn["device"]) if several else "",
        series=drawn["backend"],
    )
    items = []
    for shared, _ in variant_names.groups(table, SHARED):
        rows = drawn[(drawn[SHARED] == pd.Series(shared)).all(axis=1)]
        items += dots.strips(_title(table, shared), rows, series) if len(rows) else []
    kinds = " ".join(KINDS[name] for name in KINDS if name in set(drawn["comparison"]))
    caption = (
        "Time per image over that of the reference framework's unconverted model, prepared as the "
        "model expects, on the same device with the same backend, batch 1, over "
        f"{style.images(drawn)}, on a log scale. {kinds} Bars: 95 % bootstrap interval over "
        f"images, without the variation between runs.{others}{dots.remarks(drawn)}"
    )
    axis = "time relative to the reference (below 1: faster)"
    return dots.draw(items, axis, "the reference", TITLE, caption)


def _title(table: pd.DataFrame, shared: dict[str, str]) -> str:
    reference = shared["reference_framework"]
    if shared["comparison"] == NATIVES:
        start = f"{shared['model']}, the frameworks' own models, relative to that of {reference}"
    else:
        start = f"{shared['model']}, converted from {reference}"
    by = variant_names.preparation(table, shared)
    return f"{start}; cells with {' and '.join(by)}" if by else start
