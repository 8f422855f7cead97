"""Every target and backend against the native model: how compilation changes the answers."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from deltann.cell import NATIVE
from deltann.figures import heatmaps, pages, style
from deltann.figures.conversions import (
    LABELS,
    LABELS_BAR,
    LOGITS,
    LOGITS_BAR,
    labels_text,
    logit_norm,
    logits_text,
    put,
)
from deltann.figures.targets import label_norm
from deltann.tables import variant_names

TABLE = "conversions"
CAPTION = (
    "Every target and backend on each device against the unconverted model in its own "
    "runtime: images with another top-1 label, in percent with Wilson's 95 % interval, and "
    "the largest logit difference."
)
TITLE = "How conversion and compilation change the answers"

ACROSS = 12  # so many squares side by side have room for a number


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model, source, preprocessing and resizer, a heat map of labels and one of logits.

    Args:
        table: `conversions.csv`, one row per cell compared with the native one.
    """
    if table.empty:
        return pages.nothing(TITLE, "the study has native cells only.")
    variants = variant_names.Variants(table)
    table = table.assign(name=table.apply(variants.lines, axis=1))
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", "source", *variant_names.PREPARATION]
    ):
        title = variant_names.title(table, shared)
        parts = list(_parts(rows))
        for what, text, norm in (
            (LABELS, labels_text, label_norm(table)),
            (LOGITS, logits_text, logit_norm(table)),
        ):
            for columns in parts:
                grid = _grid(rows, columns, shared["source"], text)
                bar = LABELS_BAR if what == LABELS else LOGITS_BAR
                panels.append(pages.Panel(f"{title}: {what}", grid, norm, bar, "target"))
    caption = (
        "Each target and backend (a framework's own runtime, or a level of TVM) on each device "
        "against the unconverted model in its own runtime, over "
        f"{style.images(table)}. Labels: percent of images with another top-1 label; in brackets, "
        "if there is room, Wilson's 95 % interval. Logits: the largest absolute difference over "
        "images and classes, with colours on a log scale. Ref.: the unconverted model itself."
        f"{style.hatched(table)}"
    )
    return pages.heat(panels, TITLE, caption)


def _parts(table: pd.DataFrame) -> Iterator[dict[tuple[str, str], str]]:
    """The columns (device, backend) of each panel, with their labels: device by device.

    Devices are named if there are several.
    """
    devices, backends = style.ordered(table["device"]), style.ordered(table["backend"])
    backends = [NATIVE, *(name for name in backends if name != NATIVE)]
    present = set(zip(table["device"], table["backend"], strict=True))
    columns = [key for key in product(devices, backends) if key in present]
    several = len(devices) > 1
    for start in range(0, len(columns), ACROSS):
        part = columns[start : start + ACROSS]
        yield {key: f"{key[1]}\n{key[0]}" if several else key[1] for key in part}


def _grid(
    table: pd.DataFrame, columns: dict[tuple[str, str], str], source: str, text: Any
) -> heatmaps.Grid:
    rows = style.ordered(table["name"])
    first = [source] if source not in rows and (table["target"] == source).any() else []
    grid = heatmaps.Grid([*first, *rows], list(columns.values()))
    for _, row in table.iterrows():
        key = row["device"], row["backend"]
        if key in columns:
            put(grid, (row["name"], columns[key]), row, text)
    for (_, backend), label in columns.items():
        key = source, label
        # the native model has no row: the others are compared with it
        if backend == NATIVE and source in grid.rows and key not in grid.values | grid.failures:
            grid.texts[key] = "ref."
    return grid
