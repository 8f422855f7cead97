"""How the images' preparation alone changes the answers."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import heatmaps, pages, style
from deltann.figures.conversions import labels_text, put
from deltann.figures.targets import BAR, label_norm
from deltann.images import conventions
from deltann.tables import variant_names

TABLE = "inputs"
CAPTION = (
    "One model file with two preparations of the same images (which preprocessing, which "
    "resizer), in its framework's own runtime: top-1 labels that differ, in percent of the "
    "images with Wilson's 95 % interval."
)
TITLE = "How the images' preparation changes the answers"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and source, targets by preparations.

    Args:
        table: `inputs.csv`, one row per model file and preparation after its first.
    """
    if table.empty:
        return pages.nothing(TITLE, "the study prepares every model's images in one way.")
    variants = variant_names.Variants(table)
    table = table.assign(name=table.apply(variants.lines, axis=1), column=_columns(table))
    norm = label_norm(table)
    panels = []
    for shared, rows in variant_names.groups(table, ["model", "source", "device"]):
        grid = heatmaps.Grid(style.ordered(rows["name"]), style.ordered(rows["column"]))
        for _, row in rows.iterrows():
            put(grid, (row["name"], row["column"]), row, labels_text)
        panels.append(pages.Panel(variant_names.title(table, shared), grid, norm, BAR, "target"))
    first = table[["preprocessing_a", "resizer_a"]].iloc[0]
    caption = (
        "One model file with two preparations of the same images, in its framework's own runtime: "
        f"percent of images with another top-1 label, over {style.images(table)}; in brackets, if "
        "there is room, Wilson's 95 % interval. Columns: which preprocessing and which resizer, "
        f"compared with {conventions.in_words(first.iloc[0])} and {first.iloc[1]}."
        f"{style.hatched(table)}"
    )
    return pages.heat(panels, TITLE, caption)


def _columns(table: pd.DataFrame) -> pd.Series:
    """The second preparations: preprocessing, resizer, or both, if both vary."""
    words = table["preprocessing_b"].map(conventions.in_words).str.removeprefix("the ")
    resize = table["resizer_b"] + " resize"
    if set(table["resizer_a"]) == set(table["resizer_b"]):
        return words
    same = set(table["preprocessing_a"]) == set(table["preprocessing_b"])
    return resize if same else words + ",\n" + resize
