"""The study on a page: what changed labels, what changed time, what failed, and what to do."""

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
        excluded: per geometry and resizer, the images that were left out, one line each.
        seeded: the models with seeded weights, which are random.
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
            f"**Seeded weights, not trained: {', '.join(seeded)}. This study says nothing about "
            "accuracy.**"
        )
    for title, lines in sections.items():
        parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def read_excluded(paths: list[Path]) -> dict[str, str]:
    """The images that were left out, by geometry and resizer, from the files of prepared images."""
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
            "speed drifted, or other processes used its processors. These latencies may be wrong; "
            f"the answers aren't affected: {names}"
        )
    if unseen:
        lines.append(
            f"unknown for {count(unseen, 'cell')}: whether other processes used the processors "
            "(only Linux reports it)"
        )
    return lines or ["none: nothing disturbed the timings"]


def _unscheduled(compilations: pd.DataFrame) -> list[str]:
    """Kernels without a schedule, which are slow whatever the graph passes do."""
    unscheduled = compilations[compilations["unscheduled"] > 0]
    if unscheduled.empty:
        return []
    kernels = (
        f"{int(unscheduled['unscheduled'].sum())} kernels of {int(unscheduled['kernels'].sum())}"
    )
    where = some(
        [
            f"{row['model']} from {row['source']} to {row['target']} at {row['backend']} "
            f"({row['unscheduled']:.0f})"
            for _, row in unscheduled.iterrows()
        ],
        "; ",
    )
    return [
        f"no schedule fits {kernels}, in {count(len(unscheduled), 'compilation')} of "
        f"{len(compilations)}: they run as plain loops (tables/compilations.csv): {where}"
    ]
