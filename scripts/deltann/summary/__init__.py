"""The study on a page: what changed labels, what changed time, what failed, and what to do."""

from pathlib import Path

import pandas as pd

from deltann.images import prepared
from deltann.summary import advice, answers, failures, time
from deltann.summary.facts import collect
from deltann.summary.formatting import cell, count, some
from deltann.tables.study import Study

# The tables that it is made from.
TABLES = ("factors", "conversions", "latency", "speedups", "passes", "compilations")


def summary(
    tables: dict[str, pd.DataFrame],
    study: Study,
    excluded: dict[str, str],
    seeded: list[str],
) -> str:
    """The summary in markdown.

    Args:
        tables: those of `TABLES`, as `deltann.tables.compute` computes them.
        study: the cells of which the tables are.
        excluded: per geometry and resizer, the images that were left out, one line each.
        seeded: the models with seeded weights, which are random.
    """
    facts, cells = collect(tables["factors"]), study.cells
    sections = {
        "Answers": answers.lines(facts),
        "Time": time.lines(tables),
        "Failures": failures.lines(study),
        "What to do": advice.lines(facts, cells, study.disagreements()),
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
    parts += _tested(cells)
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


def _tested(cells: pd.DataFrame) -> list[str]:
    """A warning about cells that were calibrated on images that the study tests."""
    calibrated = cells[cells["calibration_tested"] > 0]
    if calibrated.empty:
        return []
    most = calibrated.loc[calibrated["calibration_tested"].idxmax()]
    return [
        f"**Calibrated on tested images: {count(len(calibrated), 'cell')}, on up to "
        f"{most['calibration_tested']:.0f} of {most['calibration_images']:.0f} images. Their "
        "answers look better than they are.**"
    ]


def _cells(cells: pd.DataFrame) -> list[str]:
    failed = int((cells["status"] != "ok").sum())
    return [f"{count(len(cells), 'cell')}: {len(cells) - failed} ran, {failed} failed"]


def _excluded(excluded: dict[str, str]) -> list[str]:
    lines = [
        f"{model}: {line}" for model, text in excluded.items() for line in text.splitlines() if line
    ]
    return lines or ["none"]


def _caveats(cells: pd.DataFrame, compilations: pd.DataFrame) -> list[str]:
    ran = cells[cells["status"] == "ok"]
    disturbed = ran[ran["disturbed"] == 1]
    unseen = int(ran["contention"].isna().sum())
    lines = _outputs(cells) + _unscheduled(compilations)
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


def _outputs(cells: pd.DataFrame) -> list[str]:
    """Models whose outputs aren't what the config declares."""
    warned = cells[cells["output_warning"] != ""]
    found = warned[["model", "source", "output_warning"]].drop_duplicates()
    return [
        f"{row['model']} of {row['source']}: {row['output_warning']}" for _, row in found.iterrows()
    ]


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
