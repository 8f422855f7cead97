"""The study in a page, answers first: what changed labels, what changed time, what failed, and
what a deployer should do."""

from pathlib import Path

import pandas as pd

from deltann.images import prepared
from deltann.summary import advice, answers, time
from deltann.summary.formatting import NAMED, cell, count, some


def summary(
    tables: dict[str, pd.DataFrame],
    cells: pd.DataFrame,
    excluded: dict[str, str],
    seeded: list[str],
) -> str:
    """The summary in markdown.

    Args:
        tables: those of `deltann.registry`, as `deltann.tables.compute` computes them.
        cells: `deltann.tables.Study.cells`.
        excluded: per geometry, the images that its preparation left out, one line each.
        seeded: the models whose weights were made on the spot.
    """
    sections = {
        "Answers": answers.lines(tables),
        "Time": time.lines(tables),
        "Failures": _failures(cells),
        "What to do": advice.lines(tables, cells),
        "Cells": _cells(cells),
        "Images left out": _excluded(excluded),
        "Caveats": _caveats(cells, tables["compilations"]),
    }
    parts = ["# Summary of the study"]
    if seeded:
        parts.append(
            f"**Seeded weights, nothing learnt: {', '.join(seeded)}. This study says nothing about "
            "accuracy.**"
        )
    for title, lines in sections.items():
        parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def read_excluded(paths: list[Path]) -> dict[str, str]:
    """The images left out, by geometry and resizer, from the prepared images' files."""
    excluded = {}
    for path in paths:
        with prepared.open_file(path) as images:
            images.check()
            excluded[f"{path.parent.name}/{path.stem}"] = images.excluded
    return excluded


def _cells(cells: pd.DataFrame) -> list[str]:
    failed = int((cells["status"] != "ok").sum())
    return [f"{count(len(cells), 'cell')}: {len(cells) - failed} ran, {failed} failed"]


def _failures(cells: pd.DataFrame) -> list[str]:
    failed = cells[cells["status"] != "ok"]
    lines = []
    for (stage, error), rows in failed.groupby(["failed_stage", "error_type"], sort=False):
        messages = [line.strip() for line in rows["error_message"].iloc[0].splitlines()]
        message = next(filter(None, messages), "no message")[:200]
        where = some(
            [
                f"{model} from {source} to {target} by {route} ({len(group)})"
                for (model, source, target, route), group in rows.groupby(
                    ["model", "source", "target", "route"], sort=False
                )
            ],
            "; ",
            2 * NAMED,
        )
        lines.append(f"{stage}, {error}, {count(len(rows), 'cell')}: {where}: {message}")
    return lines or ["none"]


def _excluded(excluded: dict[str, str]) -> list[str]:
    lines = [
        f"{model}: {line}" for model, text in excluded.items() for line in text.splitlines() if line
    ]
    return lines or ["none"]


def _caveats(cells: pd.DataFrame, compilations: pd.DataFrame) -> list[str]:
    ran = cells[cells["status"] == "ok"]
    disturbed = ran[ran["disturbed"] == 1]
    unseen = int(ran["contention"].isna().sum())
    lines = _unscheduled(compilations)
    if not disturbed.empty:
        names = some([cell(row) for _, row in disturbed.iterrows()])
        lines.append(
            f"{count(len(disturbed), 'cell')} of {len(cells)} disturbed while timed: the machine's "
            "speed drifted, or other processes held its processors; such latencies may mislead, "
            f"the answers don't: {names}"
        )
    if unseen:
        lines.append(
            f"whether other processes held the processors is unknown for {count(unseen, 'cell')}: "
            "their machine doesn't tell (it does on Linux)"
        )
    return lines or ["none: nothing disturbed the timings"]


def _unscheduled(compilations: pd.DataFrame) -> list[str]:
    """A kernel without a schedule is slow by itself, whatever the graph passes did."""
    left = compilations[compilations["unscheduled"] > 0]
    if left.empty:
        return []
    kernels = f"{int(left['unscheduled'].sum())} kernels of {int(left['kernels'].sum())}"
    where = some(
        [
            f"{row['model']} from {row['source']} to {row['target']} at {row['backend']} "
            f"({row['unscheduled']:.0f})"
            for _, row in left.iterrows()
        ],
        "; ",
    )
    return [
        f"no schedule fits {kernels}, in {count(len(left), 'compilation')} of {len(compilations)}: "
        f"they run as plain loops (tables/compilations.csv): {where}"
    ]
