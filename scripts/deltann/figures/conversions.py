"""Every target and backend against the native model: labels, and logits."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from deltann.figures import style

TABLE = "conversions"


def draw(table: pd.DataFrame) -> Figure:
    """Per (model, source), a heat map of label dissimilarity and one of logit differences.

    Args:
        table: `conversions.csv`, one row per cell compared with the native one.
    """
    groups = list(table.groupby(["model", "source"], sort=False))
    targets = max(4, table["target"].nunique())
    height = 0.9 + 2 * max(1, len(groups)) * (0.7 + 0.34 * targets)
    figure, axes = plt.subplots(
        2 * max(1, len(groups)), 1, figsize=(style.WIDTH, height), squeeze=False
    )
    for panel in axes.flat[2 * len(groups) :]:
        panel.set_axis_off()
    for number, ((model, source), rows) in enumerate(groups):
        labels, logits = axes[2 * number, 0], axes[2 * number + 1, 0]
        grid, norm = _dissimilarity(rows, source), _label_norm(table)
        _panel(figure, labels, grid, norm, "images with\nanother label (%)")
        labels.set_title(f"{model}, native in {source}: top-1 labels that differ", loc="left")
        grid, norm = _logits(rows, source), _logit_norm(table)
        _panel(figure, logits, grid, norm, "largest difference\n(logits)")
        logits.set_title(f"{model}, native in {source}: largest logit difference", loc="left")
    style.caption(
        figure,
        "What conversion and compilation change in the answers",
        "Each target and backend against the unconverted model in its own runtime, over "
        f"{style.images(table)}. Above: share of images with another top-1 label, in brackets "
        "Wilson's 95 % interval. Below: the largest absolute difference of a logit over all "
        "images and classes, colours on a log scale. Hatched: failed, with the stage.",
    )
    return figure


def _panel(figure: Figure, axes: Axes, grid: style.Grid, norm: Normalize, label: str) -> None:
    style.heatmap(axes, grid, style.SEQUENTIAL, norm)
    axes.set_ylabel("target")
    style.colour_bar(figure, axes, style.SEQUENTIAL, norm, label)


def _column(row: pd.Series) -> str:
    return f"{row['backend']}\n{row['device']}"


def _empty(table: pd.DataFrame, source: str) -> style.Grid:
    order = table.sort_values(["device", "backend"], key=lambda names: names.map(_position(names)))
    columns = style.ordered(order.apply(_column, axis=1))
    rows = style.ordered([source, *table["target"]])
    native = sorted(columns, key=lambda name: not name.startswith("native\n"))
    grid = style.Grid(rows, native)
    references = [name for name in native if name.startswith("native\n")]
    grid.texts = {(source, name): "reference" for name in references}
    return grid


def _position(names: pd.Series) -> dict[str, int]:
    return {name: number for number, name in enumerate(style.ordered(names))}


def _dissimilarity(table: pd.DataFrame, source: str) -> style.Grid:
    grid = _empty(table, source)
    for _, row in table.iterrows():
        key = (row["target"], _column(row))
        if row["status"] == "ok":
            grid.values[key] = row["dissimilarity_percent"]
            grid.texts[key] = style.percent(row)
        else:
            grid.failures[key] = style.failure(row)
    return grid


def _logits(table: pd.DataFrame, source: str) -> style.Grid:
    grid = _empty(table, source)
    for _, row in table.iterrows():
        key = (row["target"], _column(row))
        if row["status"] == "ok":
            difference = row["max_logit_difference"]
            grid.values[key] = difference
            grid.texts[key] = f"{difference:.1e}" if 0 < difference < 0.01 else f"{difference:.2g}"
        else:
            grid.failures[key] = style.failure(row)
    return grid


def _label_norm(table: pd.DataFrame) -> Normalize:
    return Normalize(0, np.nanmax([10, *table["dissimilarity_percent"]]))


def _logit_norm(table: pd.DataFrame) -> LogNorm:
    positive = table["max_logit_difference"][table["max_logit_difference"] > 0]
    low, high = np.log10([positive.min(), positive.max()]) if len(positive) else (-6.0, 0.0)
    # Whole decades, at least one. Zeros take the lowest colour.
    return LogNorm(10 ** np.floor(low), 10 ** (np.floor(high) + 1), clip=True)
