"""Time with each graph pass alone, relative to none: the paper's tables III and IV as dots."""

import pandas as pd
from matplotlib.figure import Figure

from deltann.figures import dots, labels, pages, style

TITLE = "What each graph pass does to time"
BASE = "no pass"
HERE, PAPER = "here", "paper"


def draw(table: pd.DataFrame) -> list[Figure]:
    """Per model and source, a panel per target and device, a row per pass, marks here and there.

    Args:
        table: `passes.csv`.
    """
    if table.empty:
        return pages.nothing(TITLE, "it takes backends with no pass, and with one alone.")
    variants = labels.Variants(table)
    panel = table.apply(variants.line, axis=1) + "\non " + table["device"]
    here = table.assign(row=table.apply(_name, axis=1), panel=panel, series=HERE)
    here["reference_disturbed"] = here["disturbed"]
    paper = here[here["published_ratio"].notna()].assign(
        series=PAPER,
        status="ok",
        disturbed=0,
        reference_disturbed=0,
        ratio_low=None,
        ratio_high=None,
    )
    paper["ratio"] = paper["published_ratio"]
    both = pd.concat([here, paper]).astype({name: float for name in dots.RATIO})
    items = [
        strip
        for held, rows in labels.by(both, ["model", "source", *labels.PREPARATION])
        for strip in dots.strips(labels.title(table, held), rows, style.ordered(rows["series"]))
    ]
    caption = (
        f"Time per image over that without any pass, batch 1, over {style.images(table)}, log "
        "scale. Bars: 95 % bootstrap interval over images; it leaves out what varies between "
        "runs. In brackets: today's counterpart of the paper's pass. Nothing to do: the pass left "
        "the model as it was. Paper: tables III and IV, an older compiler on other hardware."
    )
    return dots.draw(items, f"time relative to {BASE} (below 1: faster)", BASE, TITLE, caption)


def _name(row: pd.Series) -> str:
    name = row["published_pass"]
    several = str(row["passes"]).count(";")
    today = row["passes"] if isinstance(row["passes"], str) and row["passes"] else ""
    text = name if several or not today or today == name else f"{name}\n({today})"
    return f"{text}\nnothing to do" if row["idle"] == 1 else text
