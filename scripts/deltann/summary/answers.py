"""Which changes of the environment changed labels, on which images, with what confidence."""

from collections.abc import Callable, Iterator

import pandas as pd

from deltann.cell import SOURCE, UNCONVERTED
from deltann.summary.formatting import NAMED, cell, compiled, count, route, share
from deltann.tables.comparisons import FAILED

NOTHING = "nothing to compare"


def lines(tables: dict[str, pd.DataFrame]) -> list[str]:
    """One line per kind of change, and below it the worst ones."""
    routes = tables["routes"]
    converted = routes[routes["route"] != UNCONVERTED]
    by_source = converted["preprocessing"] == SOURCE
    parts = [
        ("Conversion", "route", converted[by_source], route),
        ("Conversion, prepared as the target does", "route", converted[~by_source], route),
        ("Compilation", "compiled cell", tables["compilers"], compiled),
        ("Preparation", "other preparation", tables["inputs"], _preparation),
        ("Frameworks' own models", "pair", tables["natives"], _pair),
    ]
    found = [line for title, word, rows, name in parts for line in _part(title, word, rows, name)]
    return [*(found or [f"Labels: {NOTHING}"]), _numbers(tables["conversions"], tables["accuracy"])]


def _part(title: str, word: str, rows: pd.DataFrame, name: Callable) -> Iterator[str]:
    if rows.empty:
        return
    ran = rows[rows["differing"].notna()]
    changed = ran[ran["differing"] > 0].sort_values("differing", ascending=False, kind="stable")
    failed = _failed(rows)
    ended = [f"{len(changed)} of {count(len(rows), word)} change labels"]
    ended += [f"{failed} failed"] if failed else []
    if unknown := len(rows) - len(ran) - failed:
        ended.append(f"{unknown} had nothing to be compared with")
    text = f"{title}: {', '.join(ended)}"
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
    return (
        f"{route(row)}: {row['preprocessing_b']} preprocessing by {row['resizer_b']} for "
        f"{row['preprocessing_a']} by {row['resizer_a']}"
    )


def _pair(row: pd.Series) -> str:
    return f"{row['model']} of {row['source_a']} and of {row['source_b']}"


def _numbers(conversions: pd.DataFrame, accuracy: pd.DataFrame) -> str:
    """The largest change of a logit, and of accuracy."""
    ran = conversions[conversions["status"] == "ok"]
    if ran.empty:
        return f"Logits: {NOTHING}"
    row = ran.loc[ran["max_relative_logit_difference"].idxmax()]
    text = (
        "Logits: the largest difference from the native model is "
        f"{row['max_logit_difference']:.2g} (relative to an image's largest logit: "
        f"{100 * row['max_relative_logit_difference']:.3g} %), in {cell(row)}"
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
        f"{text}; accuracy changes most in {cell(row)}: "
        f"{int(row['correct_to_wrong'])} turned wrong, {int(row['wrong_to_correct'])} right, of "
        f"{count(int(row['n_labelled']), 'image')} (McNemar p = {row['mcnemar_p']:.2g})"
    )
