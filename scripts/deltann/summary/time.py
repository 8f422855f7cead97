"""What changed time."""

import numpy as np
import pandas as pd

from deltann.cell import NAMES, NATIVE, RULES, RUNTIME, SOURCE, UNCONVERTED
from deltann.summary.formatting import cell, count, digits, route
from deltann.tables.passes import ENABLED, FILE

NOTHING = "Time: nothing to compare; no two compiler levels ran on one device"


def lines(tables: dict[str, pd.DataFrame]) -> list[str]:
    """The levels' largest and least speedup; each model's fastest cell without a changed label.

    Args:
        tables: with names.
    """
    return [
        _levels(tables["speedups"]),
        *_passes(tables["passes"]),
        *_fastest(tables["latency"], tables["conversions"]),
    ]


def _levels(speedups: pd.DataFrame) -> str:
    """What TVM's highest level did to time, against the lowest."""
    rows = levels(speedups)
    if rows.empty:
        return NOTHING
    best = rows.loc[rows["speedup_percent"].idxmax()]
    worst = rows.loc[rows["speedup_percent"].idxmin()]
    text = f"Levels{unsteady(rows)}: {_speedup(best)}"
    return text if len(rows) == 1 else f"{text}; least, {_speedup(worst)}"


def levels(speedups: pd.DataFrame) -> pd.DataFrame:
    """The speedups of TVM's highest level over the lowest, of each file that ran at both.

    If no file did, all speedups of one level over another. Disturbed ones count only if all are
    disturbed.
    """
    rows = steady(speedups[(speedups["status"] == "ok") & (speedups["schedule"] != RUNTIME)])
    low, high = rows["baseline"].min(), rows["candidate"].max()
    widest = rows[(rows["baseline"] == low) & (rows["candidate"] == high)]
    return rows if widest.empty else widest


def _passes(passes: pd.DataFrame) -> list[str]:
    """The graph passes that do most and least for time, alone."""
    alone = passes[passes["idle"].notna() & (passes["published_pass"] != ENABLED)]
    # CombineParallelMatmul has a row for each of two published passes
    alone = alone.drop_duplicates(["backend", *FILE])
    rows = steady(alone[(alone["status"] == "ok") & (alone["idle"] == 0)])
    if rows.empty:
        return []
    best, worst = rows.loc[rows["ratio"].idxmin()], rows.loc[rows["ratio"].idxmax()]
    text = f"Graph passes, each alone{unsteady(rows)}: {_alone(best)}"
    text += "" if len(rows) == 1 else f"; most, {_alone(worst)}"
    idle = int((alone["idle"] == 1).sum())
    text += f"; {idle} of {len(alone)} had nothing to do"
    if alone["same_code_ratio_low"].notna().any():
        low, high = alone["same_code_ratio_low"].min(), alone["same_code_ratio_high"].max()
        text += f"; cells with the same code took {low:.2f} to {high:.2f} of the time"
    return [f"{text} (tables/passes.md)"]


def _alone(row: pd.Series) -> str:
    interval = f"95 % interval {row['ratio_low']:.2f} to {row['ratio_high']:.2f}, "
    return (
        f"{row['passes']} takes {row['ratio']:.2f} of the time without any "
        f"({interval if row['n'] > 1 else ''}{count(int(row['n']), 'image')}) for {route(row)} on "
        f"{row['device']}"
    )


def steady(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with undisturbed timings, or all rows if there are none."""
    undisturbed = rows[rows["disturbed"] == 0]
    return rows if undisturbed.empty else undisturbed


def unsteady(rows: pd.DataFrame | pd.Series) -> str:
    """A remark on timings, if one of them was disturbed."""
    return " (disturbed timings)" if np.max(rows["disturbed"]) else ""


def _speedup(row: pd.Series) -> str:
    factors = [1 + row[name] / 100 for name in ("speedup_percent", "percent_low", "percent_high")]
    # one image can't be resampled
    interval = f"95 % interval {factors[1]:.2f} to {factors[2]:.2f}, " if row["n"] > 1 else ""
    kernels = "" if row["schedule"] == RULES else f", schedule {row['schedule']}"
    return (
        f"{row['candidate']} is {factors[0]:.2f} times as fast as {row['baseline']} "
        f"({interval}{count(int(row['n']), 'image')}) "
        f"for {route(row)} on {row['device']}"
        f"{kernels}"
    )


def fastest(latency: pd.DataFrame, conversions: pd.DataFrame) -> pd.DataFrame:
    """Per model, the fastest cell that gives every image its native model's label.

    Cells in another convention than the model's own don't count, nor do disturbed ones unless all
    are disturbed.
    """
    ran = latency[(latency["status"] == "ok") & (latency["preprocessing"] == SOURCE)]
    differing = conversions.set_index(list(NAMES))["differing"]
    natives = (ran["backend"] == NATIVE) & (ran["route"] == UNCONVERTED)
    same = natives | pd.Series(
        [differing.get(key) == 0 for key in _keys(ran)], ran.index, dtype=bool
    )
    groups = [steady(rows) for _, rows in ran[same].groupby("model", sort=False)]
    return pd.DataFrame([rows.loc[rows["median_ms"].idxmin()] for rows in groups])


def _keys(rows: pd.DataFrame) -> list[tuple]:
    return list(rows[list(NAMES)].itertuples(index=False, name=None))


def _fastest(latency: pd.DataFrame, conversions: pd.DataFrame) -> list[str]:
    """One line per model that ran, whatever their number."""
    found = fastest(latency, conversions)
    ran = dict.fromkeys(latency[latency["status"] == "ok"]["model"])
    unknown = [model for model in ran if found.empty or model not in set(found["model"])]
    return [
        f"Fastest with its native model's label on every image{unsteady(row)}: {cell(row)}, "
        f"{digits(row['median_ms'])} ms an image (95 % interval {digits(row['ms_low'])} to "
        f"{digits(row['ms_high'])}, {count(int(row['n']), 'image')})"
        for _, row in found.iterrows()
    ] + [
        f"Fastest with its native model's label on every image: unknown for {model}, as no native "
        "cell of it ran"
        for model in unknown
    ]
