"""Speedup of each level over each lower one, in the layout of the paper's appendix."""

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from deltann import metrics
from deltann.cell import COMPILATION
from deltann.dataset.meanings import CELL
from deltann.tables import variant_names
from deltann.tables.comparisons import SEED, N, ends, range_columns
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Time"
TITLE = "Speedup of each level over each lower one"
NEEDS = "levels"
CAPTION = (
    "Speedup in percent of every compiler level over every lower one, all else equal: "
    "(baseline's time / candidate's time - 1) x 100, with its 95 % bootstrap interval over n "
    "images. Positive: the candidate is faster."
)
MARKDOWN = True
SPEEDUP: Columns = {
    "speedup_percent": ("(baseline's time / candidate's time - 1) x 100", "percent"),
    **range_columns("percent", "percent", "speedup_percent, by bootstrap over images"),
}
COLUMNS: Columns = {
    "model": CELL["model"],
    "source": CELL["source"],
    "baseline": ("level that the time is compared with", ""),
    "candidate": ("level that the row is about", ""),
    "framework": CELL["target"],
    **{name: CELL[name] for name in ("device", "route", "preprocessing", "resizer", *COMPILATION)},
    **SPEEDUP,
    **N,
    **FAILURE,
    "disturbed": ("1 if the timing of one of the two was disturbed, else 0", "1"),
}


def rows(study: Study) -> Iterator[dict]:
    """One row per pair of levels, in the config's order; `framework` is the target.

    As in the paper, the number is empty if one of the two didn't run.
    """
    return among(study, study.ladders())


def among(study: Study, cells: pd.DataFrame) -> Iterator[dict]:
    """The rows for some of the study's cells."""
    for shared, group in groups(cells, ("backend",)):
        shared["framework"] = shared.pop("target")
        for baseline, candidate in combinations(group.index, 2):
            row = shared | study.failure(baseline, candidate)
            row |= {"baseline": group.backend[baseline], "candidate": group.backend[candidate]}
            row["disturbed"] = study.disturbed(baseline, candidate)
            if study.ok(baseline) and study.ok(candidate):
                seconds = study.seconds(baseline), study.seconds(candidate)
                row["speedup_percent"] = metrics.speedup_percent(*seconds)
                row |= ends(metrics.speedup_interval(*seconds, SEED), "percent") | {
                    "n": len(seconds[0])
                }
            yield row


def markdown(table: pd.DataFrame) -> str:
    """The speedups in the appendix's layout: frameworks by devices, one table per pair of levels.

    Args:
        table: the computed table.
    """
    sections = ["# Speedup in percent, with its 95 % interval; *: disturbed while timed"]
    table = table.rename(columns={"framework": "target"})
    variants = variant_names.Variants(table)
    shared = ["model", "source", *variant_names.PREPARATION, "baseline", "candidate"]
    for common, group in variant_names.groups(table, shared):
        names = group.apply(variants.line, axis=1)
        texts = group.assign(framework=names, text=group.apply(_text, axis=1))
        layout = texts.pivot(index="framework", columns="device", values="text")
        layout = layout.reindex(names.unique())[group["device"].unique()]
        pair = f"{common['baseline']} to {common['candidate']}"
        sections.append(f"## {variant_names.title(table, common)}: {pair}")
        sections.append(layout.to_markdown())
    return "\n\n".join(sections) + "\n"


def _text(row: pd.Series) -> str:
    if row["status"] != "ok":
        return f"{row['failed_stage']} failed"
    star = "*" if row["disturbed"] else ""
    interval = f"{row['percent_low']:.1f} to {row['percent_high']:.1f}"
    return f"{row['speedup_percent']:+.1f}{star} ({interval})"
