"""How near compiled kernels come to what the machine allows."""

import pandas as pd

from deltann.summary import time
from deltann.summary.formatting import clipped, count, digits, route
from deltann.tvm.levels import LEVELS

# Of a kernel's name in a sentence; the table has it whole.
LONGEST = 50


def lines(compilations: pd.DataFrame) -> list[str]:
    """One line per schedule, about TVM's highest level; nothing where no kernel was timed.

    If no level was timed, about all sets of passes. Disturbed cells count only if all of a line's
    are disturbed.

    Args:
        compilations: the table, with names.
    """
    timed = compilations[compilations["slow_percent"].notna()]
    levels = timed[timed["backend"].isin(list(LEVELS))]
    rows, at = timed, ""
    if not levels.empty:
        highest = levels["backend"].max()
        rows, at = levels[levels["backend"] == highest], f" at {highest}"
    groups = {name: time.steady(group) for name, group in rows.groupby("schedule", sort=False)}
    return [
        f"Kernels{at}, schedule {schedule}{time.unsteady(group)}: {_slow(group)}"
        for schedule, group in groups.items()
    ]


def _slow(rows: pd.DataFrame) -> str:
    """The compilation with the largest share of slow kernels, and the worst of these."""
    below = "below half of what the machine's roofline allows"
    row = rows.loc[rows["slow_percent"].idxmax()]
    if row["slow_percent"] == 0:
        return f"none is {below}, in {count(len(rows), 'compilation')}"
    least = f", the most of {len(rows)} compilations (least {rows['slow_percent'].min():.0f} %)"
    return (
        f"for {route(row)} on {row['device']}, {row['slow_percent']:.0f} % of the time is in those "
        f"{below}{least if len(rows) > 1 else ''}; the worst is "
        f"{clipped(row['worst_kernel'], LONGEST)}, with {row['worst_percent']:.0f} % of the time, "
        f"at {digits(row['worst_rate'])} of {digits(row['worst_allowed'])} {row['worst_limit']} "
        "(tables/kernels.csv)"
    )
