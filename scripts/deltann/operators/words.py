"""The wrong answers in words: one page of markdown."""

import pandas as pd

from deltann.operators.judge import WRONG
from deltann.operators.outcome import CRASHED

SHOWN = 4  # cases that a line names
LINES = 60


def summary(table: pd.DataFrame) -> str:
    """The page: by tool and operator, in which of how many cases it goes wrong first.

    Args:
        table: of `matrix.judged`.
    """
    cases = table[["source", "case"]].drop_duplicates()
    ran = table[table["status"].isin(["right", WRONG])]
    text = [
        "# Which operators does a tool get wrong?",
        "",
        f"{len(cases)} models of one operator, {len(table)} answers: "
        + ", ".join(f"{number} {name}" for name, number in table["status"].value_counts().items())
        + ". An answer is wrong if it differs from the float64 reference by more than rounding"
        " explains. The list has the answers that are wrong where those of the same route without"
        " its last step are right; the error is relative to the largest number of the answer.",
        "",
    ]
    begins = table[table["begins"]]
    groups = sorted(
        begins.groupby(["route", "backend", "source", "kind"], sort=False),
        key=lambda group: (-len(group[1]), group[0]),
    )
    for (route, backend, source, kind), rows in groups[:LINES]:
        same = (ran["route"] == route) & (ran["backend"] == backend) & (ran["source"] == source)
        total = int((same & (ran["kind"] == kind)).sum())
        text.append(
            f"- **{route}, {backend}** (models of {source}): {kind}, {len(rows)} of {total}"
            f" ({_errors(rows['error'])}): {_names(rows['case'])}"
        )
    if len(groups) > LINES:
        text.append(f"- and {len(groups) - LINES} more: see matrix.csv")
    text += ["", "## Crashes and hangs", "", *_crashes(table)]
    return "\n".join(text) + "\n"


def _errors(errors: pd.Series) -> str:
    finite = errors[errors != float("inf")]
    parts = []
    if len(finite):
        low, high = f"{finite.min():.2g}", f"{finite.max():.2g}"
        parts.append(f"error {low}" if low == high else f"error {low} to {high}")
    if len(finite) < len(errors):
        parts.append(f"another shape in {len(errors) - len(finite)}")
    return ", ".join(parts)


def _names(names: pd.Series) -> str:
    shown = [f"`{name}`" for name in names[:SHOWN]]
    return ", ".join([*shown, *(["..."] if len(names) > SHOWN else [])])


def _crashes(table: pd.DataFrame) -> list[str]:
    rows = table[table["status"] == CRASHED].drop_duplicates(["source", "case", "step"])
    return [
        f"- {row.step}: `{row.case}` ({row.source}): {row.message}" for row in rows.itertuples()
    ] or ["None."]
