"""Kinds of operators by tools: how many models of one operator each are right, wrong or refused.

It is no figure of a study's tables: `scripts/operator_matrix.py` draws it.
"""

from collections.abc import Iterator

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from deltann.cell import NATIVE, UNCONVERTED
from deltann.figures import heatmaps, style

TITLE = "Which operators does a tool get wrong?"
CAPTION = (
    "Rows: kinds of operators; in brackets, how many models of one operator each. Columns: the"
    " route and who answers. Squares: how many answers are right / wrong / refused or crashed; the"
    " rest was refused earlier on the route. Colours: the share of wrong ones among all answers."
    " Hatched: no answer. Wrong: another shape, or a difference from the float64 reference beyond"
    " what rounding explains."
)
ROW = 0.24  # inches
LABELS = 1.55  # inches, of the rows


def draw(counts: pd.DataFrame) -> Iterator[Figure]:
    """A page for each source.

    Args:
        counts: of `operators.matrix.counts`.
    """
    for source, table in counts.groupby("source", sort=False):
        grid = _grid(table)
        heads = style.text_width(grid.column_names, style.SMALLEST)
        height = len(grid.rows) * ROW + heads + 1.6
        figure = Figure(figsize=(style.WIDTH, height))
        axes = figure.subplots()
        width = (style.WIDTH - LABELS - 0.9) / len(grid.columns)
        norm = Normalize(0, 1)
        heatmaps.heatmap(axes, grid, style.SEQUENTIAL, norm, width)
        axes.tick_params(axis="x", rotation=90, labelsize=style.SMALLEST)
        heatmaps.colour_bar(
            figure, axes, style.SEQUENTIAL, norm, "share of wrong answers", len(grid.rows) * ROW
        )
        style.caption(figure, f"{TITLE} Models of {source}", CAPTION)
        yield figure


def _grid(table: pd.DataFrame) -> heatmaps.Grid:
    keys = [f"{row.route} {row.backend}" for row in table.itertuples()]
    columns = dict(zip(keys, (_column(row) for row in table.itertuples()), strict=True))
    kinds = sorted(set(table["kind"]))
    totals = (
        table.groupby("kind")[["right", "wrong", "refused", "crashed", "before"]].sum().sum(axis=1)
    )
    asked = len(columns)
    labels = {kind: f"{kind.replace('_', ' ')} ({totals[kind] // asked})" for kind in kinds}
    grid = heatmaps.Grid(kinds, list(columns), labels=labels, column_labels=columns)
    for row, key in zip(table.itertuples(), keys, strict=True):
        answered, failed = row.right + row.wrong, row.refused + row.crashed
        if answered:
            grid.values[row.kind, key] = row.wrong / answered
            grid.texts[row.kind, key] = f"{row.right}/{row.wrong}/{failed}"
        else:
            grid.failures[row.kind, key] = f"{failed}" if failed else ""
    return grid


def _column(row: object) -> str:
    """A column's label: the edges and who answers."""
    route, backend = row.route, row.backend  # type: ignore[attr-defined]
    edges = [] if route == UNCONVERTED else route.split("+")
    last = [] if backend == NATIVE and edges else [backend]
    return "\n".join([*edges, *last])
