"""Every target and backend against the native model: how compilation changes the answers."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from deltann.cell import NATIVE
from deltann.figures import pages, style
from deltann.figures.conversions import LABELS, LOGITS, labels_text, logit_norm, logits_text, put
from deltann.figures.targets import label_norm
from deltann.tables import variant_names

TABLE = "conversions"
CAPTION = (
    "Every target and backend on each device against the unconverted model in its own "
    "runtime: images with another top-1 label, in percent with Wilson's 95 % interval, and "
    "the largest logit difference. Failed cells are hatched and name their stage."
)
TITLE = "How conversion and compilation change the answers"


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, source, preprocessing and resizer, a heat map of labels and one of logits.

    Args:
        table: `conversions.csv`, one row per cell compared with the native one.
    """
    if table.empty:
        return pages.nothing(TITLE, "the study has native cells only.")
    variants = variant_names.Variants(table)
    table = table.assign(name=table.apply(variants.lines, axis=1), column=_columns(table))
    columns = _ordered_columns(table)
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", "source", *variant_names.PREPARATION]
    ):
        title = variant_names.title(table, shared)
        for what, text, norm in (
            (LABELS, labels_text, label_norm(table)),
            (LOGITS, logits_text, logit_norm(table)),
        ):
            grid = _grid(rows, columns, shared["source"], text)
            bar = "%" if what == LABELS else "logits"
            panels.append(pages.Panel(f"{title}: {what}", grid, norm, bar, "target"))
    caption = (
        "Each target and backend (a framework's own runtime, or a level of TVM) on each device "
        "against the unconverted model in its own runtime, over "
        f"{style.images(table)}. Labels: percent of images with another top-1 label; in brackets, "
        "if there is room, Wilson's 95 % interval. Logits: the largest absolute difference over "
        "images and classes, with colours on a log scale. Hatched: failed, with the stage."
    )
    return pages.heat(panels, TITLE, caption)


def _columns(table: pd.DataFrame) -> pd.Series:
    return table["backend"] + "\n" + table["device"]


def _ordered_columns(table: pd.DataFrame) -> list[str]:
    """Native first, then device by device."""
    devices, backends = style.ordered(table["device"]), style.ordered(table["backend"])
    keys = [(device, backend) for device in devices for backend in backends if backend != NATIVE]
    keys = [(device, NATIVE) for device in devices] + keys
    present = set(table["column"])
    names = [f"{backend}\n{device}" for device, backend in keys]
    return [name for name in names if name in present]


def _grid(table: pd.DataFrame, columns: list[str], source: str, text: Any) -> style.Grid:
    present = set(table["column"])
    # the native model has no row: the others are compared with it
    native = [name for name in columns if name.startswith(f"{NATIVE}\n")]
    rows = style.ordered(table["name"])
    first = [source] if source not in rows and (table["target"] == source).any() else []
    columns = [name for name in columns if name in present or name in native]
    grid = style.Grid([*first, *rows], columns)
    for _, row in table.iterrows():
        put(grid, (row["name"], row["column"]), row, text)
    for name in native:
        if (source, name) not in grid.values and source in grid.rows:
            grid.texts[source, name] = "reference"
    return grid
