"""What a study found, the strongest first, each in one sentence with a figure that shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from deltann import metrics
from deltann.cell import NATIVE, SOURCE, TARGET, UNCONVERTED
from deltann.precision import FLOAT32, UNASKED
from deltann.summary import time
from deltann.summary.facts import Facts
from deltann.summary.failures import Cause
from deltann.summary.formatting import NAMED, cell, clipped, count, digits, some
from deltann.tables import factors
from deltann.tables.comparisons import IDENTICAL
from deltann.tables.study import Study
from deltann.tolerance import TOLERANCE

# So many findings are listed; the sections below them have everything.
LISTED = 6
# Letters of a foreign tool's message in a finding.
MESSAGE = 80
# Figures that show answers of everything, and those that show one factor.
ANSWERS = ("backends", "conversions", "targets", "pareto")
SHOWN_BY = {
    factors.CONVERSION: ("conversions",),
    factors.PREPROCESSING: ("inputs",),
    "resizer": ("inputs",),
    factors.MODELS: ("natives",),
}
# The kinds of findings, the strongest last.
NOTHING, SPEED, LOGITS, LABELS_OR_FAILURES = range(4)


@dataclass(frozen=True)
class Finding:
    """What a study found.

    Attributes:
        text: one sentence.
        figures: the names of the figures that show it, the best first.
        weight: a stronger finding has a larger one: its kind, and a percentage.
    """

    text: str
    figures: tuple[str, ...]
    weight: tuple[int, float]


def collect(
    facts: list[Facts], causes: list[Cause], study: Study, speedups: pd.DataFrame
) -> list[Finding]:
    """The findings of a study, the strongest first.

    Changed labels and failures come first, by the share of images or cells that they concern, then
    changed logits, then what levels did to time, then what changed nothing.

    Args:
        facts: about each factor.
        causes: of the failures.
        study: the cells.
        speedups: the table, with names.
    """
    found = [
        *_failures(causes, len(study.cells)),
        *(finding for fact in facts if len(fact.ran) for finding in _factor(fact)),
        *_levels(speedups),
        *_nothing([fact for fact in facts if len(fact.ran) and _same(fact)]),
    ]
    return sorted(found, key=lambda finding: finding.weight, reverse=True)


def fastest(latency: pd.DataFrame, conversions: pd.DataFrame, study: Study) -> list[str]:
    """One sentence per model: its fastest cell that answers as the unconverted model does.

    Args:
        latency: the table, of `fair`, with names.
        conversions: the table.
        study: the cells.
    """
    said = []
    for _, row in time.fastest(latency, conversions).iterrows():
        precision = study.cells.set_index("cell_name")["precision"][cell(row)]
        remark = f", in {precision}" if precision not in (FLOAT32, "") else ""
        text = f"{cell(row)}{remark}: {digits(row['median_ms'])} ms an image"
        said.append(
            f"Fastest with its own model's label on all {count(int(row['n']), 'image')}"
            f"{time.unsteady(row)}: {text}{_against_native(latency, row)}"
        )
    return said


def fair(latency: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows of cells that may be recommended.

    The answers of a cell that was calibrated on tested images look better than they are.

    Args:
        latency: the table, with names.
        study: the cells.
    """
    calibrated = study.cells["cell_name"][study.cells["calibration_tested"] > 0]
    return latency[~latency["cell_name"].isin(set(calibrated))]


def _against_native(latency: pd.DataFrame, row: pd.Series) -> str:
    """How much faster a cell is than its unconverted model in its own runtime there."""
    if (row["backend"], row["route"]) == (NATIVE, UNCONVERTED):
        return ", the unconverted model itself"
    native = latency[
        (latency["backend"] == NATIVE)
        & (latency["route"] == UNCONVERTED)
        & (latency["preprocessing"] == row["preprocessing"])
        & (latency["status"] == "ok")
    ]
    for name in ("model", "source", "resizer", "device"):
        native = native[native[name] == row[name]]
    if native.empty:
        return ""
    times = native["median_ms"].iloc[0] / row["median_ms"]
    found = native.iloc[0]
    return f", {times:.3g} times as fast as {cell(found)}{time.unsteady(found)}"


def _failures(causes: list[Cause], cells: int) -> Iterator[Finding]:
    if not causes:
        return
    failed = sum(len(cause.rows) for cause in causes)
    most = max(causes, key=lambda cause: len(cause.rows))
    share = f"All {cells} cells" if failed == cells > 1 else f"{failed} of {count(cells, 'cell')}"
    start = f"{share} failed, by {count(len(causes), 'cause')}: " if len(causes) > 1 else ""
    text = f"{start}{len(most.rows)} at " if start else f"{share} failed at "
    text += f"{most.text}: {clipped(most.told, MESSAGE)}"
    converted = ("conversions",) if most.stage == "convert" else ()
    shown = (*converted, *(name for name in ANSWERS if name not in converted))
    yield Finding(text, shown, (LABELS_OR_FAILURES, 100 * failed / cells))


def _factor(fact: Facts) -> Iterator[Finding]:
    """What a factor changed; nothing if it changed no more than rounding does."""
    unasked = fact.ran["cause"].astype(str).str.startswith(UNASKED)
    chosen = fact.ran[unasked] if fact.factor == factors.PRECISION else fact.ran.iloc[:0]
    changed = fact.properly_prepared(fact.changed.drop(chosen.index, errors="ignore"))
    if len(changed):
        yield _labels(fact, changed)
    if len(chosen):
        yield _unasked(fact, chosen)
    elif changed.empty and not _same(fact):
        row = fact.largest("max_relative_logit_difference")
        percent = 100 * row["max_relative_logit_difference"]
        text = (
            f"{fact.words.title}: no label changed, but logits by up to {percent:.3g} % of an "
            f"image's largest, most for {fact.words.name(row)}"
        )
        yield Finding(text, _shown_by(fact), (LOGITS, percent))


def _labels(fact: Facts, changed: pd.DataFrame) -> Finding:
    """The choice that changed most labels, and how many others changed some."""
    worst = changed.iloc[0]
    name = fact.words.name(worst)
    rows = fact.ran[fact.names[fact.ran.index] == name]
    if worst["preprocessing"] in (SOURCE, TARGET):
        rows = fact.properly_prepared(rows)
    many = int((rows["differing"] > 0).sum())
    up_to = "up to " if len(rows) > 1 else ""
    text = (
        f"{fact.words.title}: {name} {fact.words.did} {up_to}{int(worst['differing'])} of "
        f"{count(int(worst['n']), 'image')} (95 % interval {worst['percent_low']:.1f} to "
        f"{worst['percent_high']:.1f} %)"
    )
    text += f", in {many} of {len(rows)} pairs of cells" if len(rows) > 1 else ""
    turned = worst[["correct_to_wrong", "wrong_to_correct"]]
    if turned.notna().all():
        wrong, right = map(int, turned)
        none = "none turned wrong or right"
        text += f"; {f'{wrong} turned wrong, {right} right' if wrong or right else none}"
    others = fact.names[changed.index].nunique() - 1
    text += f"; so did {count(others, f'other {_kind(fact)}')}" if others else ""
    return Finding(text, _shown_by(fact), (LABELS_OR_FAILURES, worst["dissimilarity_percent"]))


def _kind(fact: Facts) -> str:
    return fact.words.choice.removeprefix("other ")


def _unasked(fact: Facts, rows: pd.DataFrame) -> Finding:
    """A precision that a runtime chose by itself."""
    relative = rows["max_relative_logit_difference"].astype(float)
    worst = rows.loc[rows["dissimilarity_percent"].astype(float).idxmax()]
    row = worst if worst["differing"] > 0 else rows.loc[relative.idxmax()]
    percent = 100 * relative.max()
    text = f"Nobody asked for {row['value']}: it is {row['cause']}, in {count(len(rows), 'cell')}; "
    if worst["differing"] > 0:
        text += f"it changed the label of {int(worst['differing'])} of "
        text += f"{count(int(worst['n']), 'image')}"
        weight = (LABELS_OR_FAILURES, worst["dissimilarity_percent"])
    else:
        text += f"no label changed, but logits by up to {percent:.3g} % of an image's largest"
        weight = (LOGITS, percent)
    return Finding(text, _shown_by(fact), weight)


def _levels(speedups: pd.DataFrame) -> Iterator[Finding]:
    """What TVM's highest level did to time."""
    rows = time.levels(speedups)
    if rows.empty:
        return
    times = 1 + rows["speedup_percent"] / 100
    low, high = f"{times.min():.3g}", f"{times.max():.3g}"
    pairs = set(zip(rows["candidate"], rows["baseline"], strict=True))
    if len(pairs) > 1:
        return
    ((candidate, baseline),) = pairs
    range_ = low if low == high else f"{low} to {high}"
    many = f" in {len(rows)} comparisons" if len(rows) > 1 else ""
    text = f"{candidate} is {range_} times as fast as {baseline}{many}{time.unsteady(rows)}"
    yield Finding(text, ("speedups", "latency", "pareto"), (SPEED, float(times.max())))


def _same(fact: Facts) -> bool:
    """Whether a factor changed no more than rounding does."""
    return set(fact.ran["outcome"]) == {IDENTICAL}


def _nothing(facts: list[Facts]) -> Iterator[Finding]:
    if not facts:
        return
    pairs = sum(len(fact.ran) for fact in facts)
    n = min(int(fact.ran["n"].min()) for fact in facts)
    titles = [fact.words.title for fact in facts]
    names = [titles[0], *(title[0].lower() + title[1:] for title in titles[1:])]
    text = (
        f"{some(names, most=NAMED)} changed no label, and logits by at most {100 * TOLERANCE:g} %: "
        f"{count(pairs, 'pair')} of cells over {count(n, 'image')}, which leaves changes of up to "
        f"{metrics.wilson_interval(0, n).high:.1f} % of labels possible"
    )
    yield Finding(text, ("targets", *ANSWERS), (NOTHING, float(pairs)))


def _shown_by(fact: Facts) -> tuple[str, ...]:
    own = SHOWN_BY.get(fact.factor, ())
    return (*own, *(name for name in ANSWERS if name not in own))
