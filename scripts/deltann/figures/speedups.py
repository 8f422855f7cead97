"""Pairwise speedups of levels, in the layout of the paper's appendix."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import heatmaps, pages, style
from deltann.tables import variant_names

TABLE = "speedups"
CAPTION = (
    "Speedup in percent of every compiler level over every lower one, with the 95 % bootstrap "
    "interval over images. Positive: the candidate is faster. Colours are symmetric in the "
    "log of the ratio of times."
)
TITLE = "Speedup of one compiler level over another"
# So many squares side by side have room for a number and its interval.
ACROSS = 6
LETTERS = 12  # of a pair's name on one line


def draw(table: pd.DataFrame) -> Iterator[Figure]:
    """Per model and source, frameworks by pairs of levels and devices.

    Args:
        table: `speedups.csv`.
    """
    if table.empty:
        return pages.nothing(TITLE, "the study has fewer than two levels.")
    table = table.rename(columns={"framework": "target"})
    variants = variant_names.Variants(table)
    pair = table["baseline"] + " to " + table["candidate"]
    if pair.str.len().max() > LETTERS:
        pair = table["baseline"] + "\nto " + table["candidate"]
    several = table["device"].nunique() > 1
    device = ("\n" + table["device"]) if several else ""
    table = table.assign(name=table.apply(variants.lines, axis=1), column=pair + device, pair=pair)
    norm = heatmaps.symmetric_ratio(table["speedup_percent"])
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", "source", *variant_names.PREPARATION]
    ):
        for pairs in _chunks(rows):
            grid = _grid(rows[rows["pair"].isin(pairs)])
            title = variant_names.title(table, shared)
            if several and len(pairs) == 1:  # then the columns are devices
                title = f"{title}: {' '.join(pairs[0].split())}"
                grid.column_labels = {name: name.split("\n")[-1] for name in grid.columns}
            look = {"cmap": style.DIVERGING, "rows": "framework"}
            panels.append(pages.Panel(title, grid, norm, "speedup (%)", **look))
    disturbed = ((table["disturbed"] == 1) & (table["status"] == "ok")).any()
    star = " *: the timing was disturbed." if disturbed else ""
    caption = (
        "In percent, (baseline's time / candidate's time - 1) x 100: positive where the candidate "
        f"is faster. Time per image at batch 1, over {style.images(table)}. In brackets, if there "
        "is room: 95 % bootstrap interval over images, without the variation between runs. "
        f"Colours are symmetric in the log of the ratio of times.{star}{style.hatched(table)}"
    )
    return pages.heat(panels, TITLE, caption)


def _chunks(table: pd.DataFrame) -> list[list[str]]:
    """The pairs of levels, in lists that fit side by side."""
    pairs = style.ordered(table["pair"])
    step = max(1, ACROSS // table["device"].nunique())
    return [pairs[i : i + step] for i in range(0, len(pairs), step)]


def _grid(table: pd.DataFrame) -> heatmaps.Grid:
    grid = heatmaps.Grid(style.ordered(table["name"]), style.ordered(table["column"]))
    for _, row in table.iterrows():
        key = (row["name"], row["column"])
        if row["status"] == "ok":
            star = "*" if row["disturbed"] == 1 else ""
            grid.values[key] = row["speedup_percent"]
            interval = f"[{row['percent_low']:.1f}, {row['percent_high']:.1f}]"
            grid.texts[key] = f"{row['speedup_percent']:+.1f}{star}\n{interval}"
        else:
            grid.failures[key] = heatmaps.failure(row)
    return grid
