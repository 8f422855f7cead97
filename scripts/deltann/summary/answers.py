"""Which changes of the environment changed labels, on which images, and how sure that is."""

from collections.abc import Callable, Iterator

import pandas as pd

from deltann.cell import SOURCE, UNCONVERTED
from deltann.summary.formatting import NAMED, cell, compiled, count, library, route, share
from deltann.tables.comparisons import FAILED

NOTHING = "nothing to compare"


def lines(tables: dict[str, pd.DataFrame]) -> list[str]:
    """One line per kind of change, and below it the largest changes."""
    routes = tables["routes"]
    converted = routes[routes["route"] != UNCONVERTED]
    by_source = converted["preprocessing"] == SOURCE
    kinds = [
        ("Conversion", "route", converted[by_source], route),
        ("Conversion, with the target's preprocessing", "route", converted[~by_source], route),
        ("Compilation", "compiled cell", tables["compilers"], compiled),
        ("Preparation", "other preparation", tables["inputs"], _preparation),
        ("Frameworks' own models", "pair", tables["natives"], _pair),
    ]
    changes = [line for title, word, rows, name in kinds for line in _kind(title, word, rows, name)]
    return [
        *(changes or [f"Labels: {NOTHING}"]),
        _numbers(tables["conversions"], tables["accuracy"]),
    ]


def _kind(title: str, word: str, rows: pd.DataFrame, name: Callable) -> Iterator[str]:
    if rows.empty:
        return
    ran = rows[rows["differing"].notna()]
    changed = ran[ran["differing"] > 0].sort_values("differing", ascending=False, kind="stable")
    failed = _failed(rows)
    outcomes = [f"{len(changed)} of {count(len(rows), word)} change labels"]
    outcomes += [f"{failed} failed"] if failed else []
    if unknown := len(rows) - len(ran) - failed:
        outcomes.append(f"{unknown} have no reference")
    text = f"{title}: {', '.join(outcomes)}"
    if changed.empty and len(ran):
        least = ran.loc[ran["high"].astype(float).idxmax()]
        text += (
            f" (0 of {count(int(least['n']), 'image')} each; 95 % interval 0 to "
            f"{least['high']:.1f} %)"
        )
    yield text
    for _, row in changed.head(NAMED).iterrows():
        yield f"{title}: {name(row)}: {share(row)}"


def _failed(rows: pd.DataFrame) -> int:
    if "outcome" in rows:
        return int((rows["outcome"] == FAILED).sum())
    return int((rows["status"] == "failed").sum())


def _preparation(row: pd.Series) -> str:
    changes, (before, after) = [], (row["preprocessing_a"], row["preprocessing_b"])
    if after != before:
        changes.append(f"the {after}'s preprocessing instead of the {before}'s")
    before, after = library(row["resizer_a"]), library(row["resizer_b"])
    if after != before:
        changes.append(f"resized by {after} instead of {before}")
    return f"{route(row)}, {' and '.join(changes)}"


def _pair(row: pd.Series) -> str:
    return f"{row['model']} from {row['source_a']} and from {row['source_b']}"


def _numbers(conversions: pd.DataFrame, accuracy: pd.DataFrame) -> str:
    """The largest logit difference, and the largest change of accuracy."""
    ran = conversions[conversions["status"] == "ok"]
    if ran.empty:
        return f"Logits: {NOTHING}"
    row = ran.loc[ran["max_relative_logit_difference"].idxmax()]
    text = (
        "Logits: the largest difference from the native model is "
        f"{row['max_logit_difference']:.2g} (at most "
        f"{100 * row['max_relative_logit_difference']:.3g} % of an image's largest logit), in "
        f"{cell(row)}"
    )
    labelled = ran[ran["n_labelled"] > 0]
    if labelled.empty:
        return text + "; accuracy: no true labels"
    net = labelled["wrong_to_correct"] - labelled["correct_to_wrong"]
    moved = labelled[labelled["wrong_to_correct"] + labelled["correct_to_wrong"] > 0]
    best = accuracy["top1_percent"].max()
    if moved.empty:
        return f"{text}; no answer turned wrong or right (best top-1 accuracy {best:.0f} %)"
    row = moved.loc[net[moved.index].abs().idxmax()]
    return (
        f"{text}; accuracy changes most in {cell(row)}: "
        f"{int(row['correct_to_wrong'])} turned wrong, {int(row['wrong_to_correct'])} right, of "
        f"{count(int(row['n_labelled']), 'image')} (McNemar p = {row['mcnemar_p']:.2g})"
    )
