"""What to do, as far as this study's images can tell: by labels, logits and accuracy."""

from collections.abc import Iterator

import pandas as pd

from deltann import metrics
from deltann.study import layout
from deltann.study.routes import REPAIRED
from deltann.summary.facts import Facts
from deltann.summary.formatting import NAMED, count, some
from deltann.tables import factors
from deltann.tables.comparisons import FAILED, IDENTICAL, LABELS, LOGITS
from deltann.tolerance import TOLERANCE

# A study should be able to rule out changes of so many percent of the labels.
RULED_OUT = 1.0
SUFFIX = f"+{REPAIRED}"
# What to do with a choice, from the best to the worst: the beginning of a line.
SAFE, CARE, CHANGED, LOST = "safe", "care", "changed", "lost"
STARTS = {
    SAFE: "Safe to {do}: ",
    CARE: "Take care if you {do} (no label changed, but logits did or cells failed): ",
    CHANGED: "Don't {do} (labels changed): ",
    LOST: "Impossible to {do} (failed): ",
}
MEANING = (
    "Safe means: on these images no label changed, and no logit by more than "
    f"{100 * TOLERANCE:g} % of its image's largest one"
)


def lines(facts: list[Facts], cells: pd.DataFrame, disagreements: int) -> list[str]:
    """One line per factor and kind of advice, with the choices that it is about."""
    advice = [line for fact in facts for line in _choices(fact)]
    meaning = [MEANING] if any(line.startswith("Safe ") for line in advice) else []
    found = [*meaning, *advice, *_repair(facts), *_images(facts, disagreements), *_again(cells)]
    return found or ["Nothing is known, as there is nothing to compare"]


def _choices(fact: Facts) -> Iterator[str]:
    """A factor's choices, the safest first."""
    if not fact.words.verb:
        return
    found = [(name, _kind(rows), rows) for name, rows in fact.choices()]
    for kind, start in STARTS.items():
        names = [f"{name}{_why(fact, rows)}" for name, of, rows in found if of == kind]
        if names:
            every = f"all {len(found)} {fact.words.choice}s"
            short = kind == SAFE and NAMED < len(names) == len(found)
            text = every if short else some(names, "; ")
            yield start.format(do=f"{fact.words.verb} {fact.words.by}".strip()) + text


def _kind(rows: pd.DataFrame) -> str:
    outcomes = set(rows["outcome"].dropna())
    if outcomes == {IDENTICAL}:
        return SAFE
    if outcomes == {FAILED}:
        return LOST
    return CHANGED if LABELS in outcomes else CARE


def _why(fact: Facts, rows: pd.DataFrame) -> str:
    """What a choice changed, in brackets; nothing if it is safe."""
    reasons = []
    changed = fact.properly_prepared(rows[rows["outcome"] == LABELS])
    if len(changed):
        row = changed.loc[changed["dissimilarity_percent"].astype(float).idxmax()]
        reasons.append(f"labels of {int(row['differing'])} of {count(int(row['n']), 'image')}")
        if pd.notna(row["n_labelled"]):
            reasons.append(
                f"{count(int(row['correct_to_wrong']), 'answer')} turned wrong, "
                f"{int(row['wrong_to_correct'])} right"
            )
    moved = rows[rows["outcome"].isin([LABELS, LOGITS])]
    if len(moved):
        percent = 100 * moved["max_relative_logit_difference"].astype(float).max()
        reasons.append(f"logits by up to {percent:.3g} % of an image's largest")
    failed = rows[rows["outcome"] == FAILED]
    if len(failed):
        many = f"{len(failed)} of {count(len(rows), 'cell')} failed"
        reasons.append(f"{many}: {failed['failed_stage'].iloc[0]}, {failed['error_type'].iloc[0]}")
    return f" ({'; '.join(reasons)})" if reasons else ""


def _repair(facts: list[Facts]) -> list[str]:
    """The routes that changed answers and have no repaired file in the study."""
    (fact,) = (fact for fact in facts if fact.factor == factors.CONVERSION)
    repaired = {row["route"].removesuffix(SUFFIX) for _, row in fact.rows.iterrows()
                if row["route"].endswith(SUFFIX)}  # fmt: skip
    moved = [
        name
        for name, rows in fact.choices()
        if rows["outcome"].isin([LABELS, LOGITS]).any()
        and not rows["route"].str.endswith(SUFFIX).any()
        and rows["route"].iloc[0] not in repaired
    ]
    if not moved:
        return []
    return [
        f"Try to repair: {some(moved, '; ')}: add the same route with `{REPAIRED}` at its end to "
        "conversions in the config, and run again"
    ]


def _images(facts: list[Facts], disagreements: int) -> list[str]:
    """The images to look at, and how many more the study needs."""
    advice = []
    if disagreements:
        images = count(disagreements, "image")
        advice.append(f"Look at the {images} on which cells disagree, in {layout.EXPLORER}")
    compared = [int(fact.ran["n"].min()) for fact in facts if len(fact.ran)]
    if compared and min(compared) < (needed := metrics.wilson_sample_size(RULED_OUT)):
        n = min(compared)
        advice.append(
            f"Take more images: {count(n, 'image')} without a change rule out changes of more than "
            f"{metrics.wilson_interval(0, n).high:.1f} % of labels (95 % interval); to rule out "
            f"{RULED_OUT:g} %, take {needed}"
        )
    return advice


def _again(cells: pd.DataFrame) -> list[str]:
    disturbed = int((cells["disturbed"] == 1).sum())
    if not disturbed:
        return []
    return [
        f"Time {count(disturbed, 'cell')} again on a quiet machine before trusting their "
        "latencies: remove study.nc and their prediction files, and run again"
    ]
