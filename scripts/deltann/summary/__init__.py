"""The study on a page: what changed labels, what changed time, what failed, and what to do."""

from pathlib import Path

import pandas as pd

from deltann.images import prepared
from deltann.summary import advice, answers, failures, findings, kernels, time
from deltann.summary.facts import collect
from deltann.summary.findings import Finding
from deltann.summary.formatting import NAMED, cell, count, some
from deltann.summary.names import named
from deltann.tables.study import Study

# The tables that it is made from.
TABLES = ("factors", "conversions", "latency", "speedups", "passes", "compilations")
IN_SHORT = "In short"


def summary(
    tables: dict[str, pd.DataFrame],
    study: Study,
    excluded: dict[str, str],
    seeded: list[str],
) -> tuple[str, list[Finding]]:
    """The summary in markdown, and its findings, the strongest first.

    Args:
        tables: those of `TABLES`, as `deltann.tables.compute` computes them.
        study: the cells of which the tables are.
        excluded: per geometry and resizer, the images that were left out, one line each.
        seeded: the models with seeded weights, which are random.
    """
    tables = {name: named(tables[name], study) for name in TABLES}
    tables["latency"] = findings.fair(tables["latency"], study)
    facts, cells = collect(tables["factors"], study), study.cells
    causes = failures.causes(study)
    found = findings.collect(facts, causes, study, tables["speedups"])
    sections = {
        IN_SHORT: _in_short(tables, study, found),
        "Answers": answers.lines(facts),
        "Time": [*time.lines(tables), *kernels.lines(tables["compilations"])],
        "Failures": failures.lines(causes),
        "What to do": advice.lines(facts, cells, study.disagreements()),
        "Images left out": _excluded(excluded),
        "Caveats": _caveats(cells),
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
    return "\n\n".join(parts) + "\n", found


def _in_short(tables: dict[str, pd.DataFrame], study: Study, found: list[Finding]) -> list[str]:
    """How many cells ran, what is fastest and still answers the same, and the findings."""
    failed = int((study.cells["status"] != "ok").sum())
    ran = len(study.cells) - failed
    fastest = findings.fastest(tables["latency"], tables["conversions"], study)
    more = [f"and {count(len(fastest) - NAMED, 'more model')} (Time)"]
    return [
        f"{count(len(study.cells), 'cell')}: {ran} ran, {failed} failed",
        *(fastest[:NAMED] + more if len(fastest) > NAMED else fastest),
        *(finding.text for finding in found[: findings.LISTED]),
    ]


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


def _excluded(excluded: dict[str, str]) -> list[str]:
    lines = [
        f"{model}: {line}" for model, text in excluded.items() for line in text.splitlines() if line
    ]
    return lines or ["none"]


def _caveats(cells: pd.DataFrame) -> list[str]:
    ran = cells[cells["status"] == "ok"]
    disturbed = ran[ran["disturbed"] == 1]
    unseen = int(ran["contention"][ran["emulated"] == 0].isna().sum())
    lines = _outputs(cells) + _emulated(cells)
    if not disturbed.empty:
        where = some([cell(row) for _, row in disturbed.iterrows()], "; ")
        lines.append(
            f"{count(len(disturbed), 'cell')} of {len(cells)} disturbed while timed: the machine's "
            "speed drifted, or other processes used its processors. These latencies may be wrong; "
            f"the answers aren't affected: {where}"
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


def _emulated(cells: pd.DataFrame) -> list[str]:
    """Cells on an emulated device, of which no time is taken."""
    emulated = cells[cells["emulated"] == 1]
    if emulated.empty:
        return []
    devices = some(list(dict.fromkeys(emulated["device"])), ", ")
    return [
        f"{count(len(emulated), 'cell')} on an emulated device ({devices}): times there mean "
        "nothing, so none was taken, and no table of time has them"
    ]
