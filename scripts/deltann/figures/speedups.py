"""Pairwise speedups of levels, as tables in the layout of the paper's appendix."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from deltann.figures import style

TABLE = "speedups"
ACROSS = 3


def draw(table: pd.DataFrame) -> Figure:
    """Per model, source and pair of levels, a table of frameworks by devices.

    Args:
        table: `speedups.csv`.
    """
    groups = list(table.groupby(["model", "source", "baseline", "candidate"], sort=False))
    across = min(ACROSS, len(groups)) or 1
    down = -(-len(groups) // across) or 1
    height = 0.9 + down * (0.6 + 0.36 * table["framework"].nunique())
    figure, axes = plt.subplots(
        down, across, figsize=(style.WIDTH, height), sharey=True, squeeze=False
    )
    extreme = np.nanmax([10, *table["speedup_percent"].abs()])
    norm = TwoSlopeNorm(0, -extreme, extreme)
    for panel in axes.flat[len(groups) :]:
        panel.set_axis_off()
    for panel, ((model, source, baseline, candidate), rows) in zip(axes.flat, groups, strict=False):
        style.heatmap(panel, _grid(rows), style.DIVERGING, norm)
        panel.set_title(f"{model} from {source}\n{baseline} to {candidate}")
    style.colour_bar(figure, list(axes.flat), style.DIVERGING, norm, "speedup (%)")
    style.caption(
        figure,
        "Speedup of one compiler level over another",
        "In percent, (baseline's time / candidate's time - 1) x 100: positive where the candidate "
        f"is faster. Time per image at batch 1, over {style.images(table)}. In brackets: 95 % "
        "bootstrap interval over images; it leaves out what varies between runs. *: the machine's "
        "speed drifted during the timing. Hatched: failed, with the stage.",
    )
    return figure


def _grid(table: pd.DataFrame) -> style.Grid:
    grid = style.Grid(style.ordered(table["framework"]), style.ordered(table["device"]))
    for _, row in table.iterrows():
        key = (row["framework"], row["device"])
        if row["status"] == "ok":
            star = "*" if row["drifted"] == 1 else ""
            grid.values[key] = row["speedup_percent"]
            interval = f"[{row['low']:.1f}, {row['high']:.1f}]"
            grid.texts[key] = f"{row['speedup_percent']:+.1f}{star}\n{interval}"
        else:
            grid.failures[key] = style.failure(row)
    return grid
