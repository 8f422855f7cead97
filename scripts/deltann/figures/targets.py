"""Heat map of label dissimilarity between the targets' native cells, per model."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from deltann.figures import style

TABLE = "targets"


def draw(table: pd.DataFrame) -> Figure:
    """One heat map per (model, source, device).

    Args:
        table: `targets.csv`, one row per pair of targets.
    """
    groups = list(table.groupby(["model", "source", "device"], sort=False))
    columns = min(2, len(groups)) or 1
    rows = -(-len(groups) // columns) or 1
    size = (style.WIDTH if columns > 1 else 5.2, 0.9 + 3.4 * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    # At least 0 to 10 %: in a study without differences, no colour should look like one.
    norm = Normalize(0, max(10, table["dissimilarity_percent"].max(skipna=True) or 0))
    for panel in axes.flat[len(groups) :]:
        panel.set_axis_off()
    for panel, ((model, source, device), rows_of_group) in zip(axes.flat, groups, strict=False):
        style.heatmap(panel, _grid(rows_of_group), style.SEQUENTIAL, norm)
        panel.set_title(f"{model} from {source}, on {device}")
        panel.set_aspect("equal")
    label = "images with another top-1 label (%)"
    style.colour_bar(figure, list(axes.flat), style.SEQUENTIAL, norm, label)
    style.caption(
        figure,
        "Do a model's versions in different frameworks agree?",
        "Top-1 label dissimilarity between every two targets, each run by its framework's own "
        f"runtime, over {style.images(table)}. In brackets: Wilson's 95 % interval. Hatched: a "
        "target that failed, with the stage that did.",
    )
    return figure


def _grid(table: pd.DataFrame) -> style.Grid:
    targets = style.ordered([*table["target_a"], *table["target_b"]])
    grid = style.Grid(targets, targets)
    for _, row in table.iterrows():
        pair = (row["target_a"], row["target_b"])
        for key in (pair, pair[::-1]):
            if row["status"] == "ok":
                grid.values[key] = row["dissimilarity_percent"]
                grid.texts[key] = style.percent(row)
            else:
                grid.failures[key] = style.failure(row)
        for target in str(row["failed_target"]).split(";") if row["status"] != "ok" else ():
            grid.failures[target, target] = "failed"
    grid.texts |= {(target, target): "same" for target in targets}
    return grid
