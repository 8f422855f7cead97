"""The study in a page: what ran, what failed and why, what was left out, and what was found."""

from pathlib import Path

import pandas as pd
import xarray as xr

from deltann.cell import NAMES
from deltann.tables import NATIVE

# So many are named; the tables have them all.
NAMED = 5


def summary(
    tables: dict[str, pd.DataFrame],
    cells: pd.DataFrame,
    excluded: dict[str, str],
    seeded: list[str],
) -> str:
    """The summary in markdown.

    Args:
        tables: `accuracy`, `conversions` and `speedups`, as `deltann.tables` makes them.
        cells: `deltann.tables.Study.cells`.
        excluded: per geometry, the images that its preparation left out, one line each.
        seeded: the models whose weights were made on the spot.
    """
    sections = {
        "Cells": _cells(cells),
        "Failures": _failures(cells),
        "Images left out": _excluded(excluded),
        "Findings": [
            _answers(tables["conversions"]),
            _time(tables["speedups"]),
            _logits(tables["conversions"], tables["accuracy"]),
        ],
        "Caveats": _caveats(cells),
    }
    parts = ["# Summary of the study"]
    if seeded:
        parts.append(
            '<strong style="color: #c00000">Seeded weights, nothing learnt: '
            f"{', '.join(seeded)}. This study says nothing about accuracy.</strong>"
        )
    for title, lines in sections.items():
        parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def read_excluded(paths: list[Path]) -> dict[str, str]:
    """The images left out, by geometry and resizer, from the prepared images' files."""
    excluded = {}
    for path in paths:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            excluded[f"{path.parent.name}/{path.stem}"] = str(dataset.attrs["excluded"])
    return excluded


def _cells(cells: pd.DataFrame) -> list[str]:
    failed = int((cells["status"] != "ok").sum())
    return [f"{_count(len(cells), 'cell')}: {len(cells) - failed} ran, {failed} failed"]


def _failures(cells: pd.DataFrame) -> list[str]:
    failed = cells[cells["status"] != "ok"]
    lines = []
    for (stage, error), rows in failed.groupby(["failed_stage", "error_type"], sort=False):
        messages = [line.strip() for line in rows["error_message"].iloc[0].splitlines()]
        message = next(filter(None, messages), "no message")[:200]
        where = "; ".join(
            f"{model} from {source} to {target} ({len(group)})"
            for (model, source, target), group in rows.groupby(list(NAMES[:3]), sort=False)
        )
        lines.append(f"{stage}, {error}, {_count(len(rows), 'cell')}: {where}: {message}")
    return lines or ["none"]


def _excluded(excluded: dict[str, str]) -> list[str]:
    lines = [
        f"{model}: {line}" for model, text in excluded.items() for line in text.splitlines() if line
    ]
    return lines or ["none"]


def _answers(conversions: pd.DataFrame) -> str:
    """Which changes of environment changed labels."""
    ran = conversions[conversions["status"] == "ok"]
    if ran.empty:
        return "Answers: nothing to compare; no cell ran beside its native model"
    changed = ran[ran["differing"] > 0]
    if changed.empty:
        n = int(ran["n"].min())
        high = ran["high"].max()
        return (
            f"Answers: none of the {len(ran)} compared cells gives any image another top-1 label "
            f"than the native model (0 of {_count(n, 'image')} each; 95 % interval 0 to "
            f"{high:.1f} %)"
        )
    worst = changed.loc[changed["dissimilarity_percent"].idxmax()]
    kinds = _some(
        [
            f"{_count(len(rows), 'cell')} of {kind}"
            for kind, rows in changed.groupby(changed.apply(_kind, axis=1), sort=False)
        ]
    )
    return (
        f"Answers: {len(changed)} of {len(ran)} compared cells give some image another top-1 label "
        f"than the native model ({kinds}); most in {_name(worst)}: "
        f"{int(worst['differing'])} of {_count(int(worst['n']), 'image')}, "
        f"{worst['dissimilarity_percent']:.1f} % (95 % interval {worst['low']:.1f} to "
        f"{worst['high']:.1f} %): {_some(worst['differing_images'].split(';'))}"
    )


def _kind(row: pd.Series) -> str:
    runs = "its own runtime" if row["backend"] == NATIVE else f"TVM {row['backend']}"
    return f"{row['target']} by {runs}"


def _time(speedups: pd.DataFrame) -> str:
    """What the highest level did to time, against the lowest."""
    ran = speedups[speedups["status"] == "ok"]
    steady = ran[ran["drifted"] == 0]
    # Times on an unsteady machine are a finding only if there are no others.
    rows = ran if steady.empty else steady
    if rows.empty:
        return "Time: nothing to compare; no two compiler levels ran on one device"
    low, high = rows["baseline"].min(), rows["candidate"].max()
    widest = rows[(rows["baseline"] == low) & (rows["candidate"] == high)]
    rows = rows if widest.empty else widest
    best = rows.loc[rows["speedup_percent"].idxmax()]
    worst = rows.loc[rows["speedup_percent"].idxmin()]
    unsteady = " (the machine's speed drifted)" if steady.empty else ""
    text = f"Time{unsteady}: {_speedup(best)}"
    return text if len(rows) == 1 else f"{text}; least, {_speedup(worst)}"


def _speedup(row: pd.Series) -> str:
    factors = [1 + row[name] / 100 for name in ("speedup_percent", "low", "high")]
    # one image can't be resampled
    sure = f"95 % interval {factors[1]:.2f} to {factors[2]:.2f}, " if row["n"] > 1 else ""
    return (
        f"{row['candidate']} is {factors[0]:.2f} times as fast as {row['baseline']} "
        f"({sure}{_count(int(row['n']), 'image')}) "
        f"for {row['model']} from {row['source']} to {row['framework']} on {row['device']}"
    )


def _logits(conversions: pd.DataFrame, accuracy: pd.DataFrame) -> str:
    """The largest change of accuracy, else of a logit."""
    ran = conversions[conversions["status"] == "ok"]
    if ran.empty:
        return "Logits: nothing to compare"
    row = ran.loc[ran["max_logit_difference"].idxmax()]
    text = (
        "Logits: the largest difference from the native model is "
        f"{row['max_logit_difference']:.2g} (relative to an image's largest logit: at most "
        f"{100 * row['max_relative_logit_difference']:.3g} %), in {_name(row)}"
    )
    labelled = ran[ran["n_labelled"] > 0]
    if labelled.empty:
        return text + "; accuracy: no true labels"
    net = labelled["wrong_to_correct"] - labelled["correct_to_wrong"]
    moved = labelled[labelled["wrong_to_correct"] + labelled["correct_to_wrong"] > 0]
    best = accuracy["top1_percent"].max()
    if moved.empty:
        return f"{text}; no image's answer turned wrong or right (best top-1 accuracy {best:.0f} %)"
    row = moved.loc[net[moved.index].abs().idxmax()]
    return (
        f"{text}; accuracy changes most in {_name(row)}: "
        f"{int(row['correct_to_wrong'])} turned wrong, {int(row['wrong_to_correct'])} right, of "
        f"{_count(int(row['n_labelled']), 'image')} (McNemar p = {row['mcnemar_p']:.2g})"
    )


def _caveats(cells: pd.DataFrame) -> list[str]:
    drifted = cells[cells["drifted"] == 1]
    if drifted.empty:
        return ["none: the machine's speed was steady during every timing"]
    names = _some([_name(row) for _, row in drifted.iterrows()])
    return [
        f"the machine's speed drifted while {_count(len(drifted), 'cell')} of {len(cells)} were "
        f"timed; their latencies may mislead, their answers don't: {names}"
    ]


def _name(row: pd.Series) -> str:
    return "/".join(row[name] for name in NAMES)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
