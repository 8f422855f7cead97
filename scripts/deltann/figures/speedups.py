"""Pairwise speedups of levels, in the layout of the paper's appendix."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import pages, style
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
    table = table.assign(
        name=table.apply(variants.lines, axis=1), column=pair + "\n" + table["device"], pair=pair
    )
    norm = style.symmetric_ratio(table["speedup_percent"])
    panels = []
    for shared, rows in variant_names.groups(
        table, ["model", "source", *variant_names.PREPARATION]
    ):
        for pairs in _chunks(rows):
            grid = _grid(rows[rows["pair"].isin(pairs)])
            title = variant_names.title(table, shared)
            look = {"cmap": style.DIVERGING, "rows": "framework"}
            panels.append(pages.Panel(title, grid, norm, "speedup (%)", **look))
    caption = (
        "In percent, (baseline's time / candidate's time - 1) x 100: positive where the candidate "
        f"is faster. Time per image at batch 1, over {style.images(table)}. In brackets, if there "
        "is room: 95 % bootstrap interval over images, without the variation between runs. "
        "Colours are symmetric in the log of the ratio of times. *: the timing was disturbed, by a "
        "change of the machine's speed or by other processes. Hatched: failed, with the stage."
    )
    return pages.heat(panels, TITLE, caption)


def _chunks(table: pd.DataFrame) -> list[list[str]]:
    """The pairs of levels, in lists that fit side by side."""
    pairs = style.ordered(table["pair"])
    step = max(1, ACROSS // table["device"].nunique())
    return [pairs[i : i + step] for i in range(0, len(pairs), step)]


def _grid(table: pd.DataFrame) -> style.Grid:
    grid = style.Grid(style.ordered(table["name"]), style.ordered(table["column"]))
    for _, row in table.iterrows():
        key = (row["name"], row["column"])
        if row["status"] == "ok":
            star = "*" if row["disturbed"] == 1 else ""
            grid.values[key] = row["speedup_percent"]
            interval = f"[{row['low']:.1f}, {row['high']:.1f}]"
            grid.texts[key] = f"{row['speedup_percent']:+.1f}{star}\n{interval}"
        else:
            grid.failures[key] = style.failure(row)
    return grid
