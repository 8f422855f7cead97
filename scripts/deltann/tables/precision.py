"""Every cell's precision, what it changes in the answers, and what it saves in time and bytes."""

from collections.abc import Iterator
from functools import cache

from deltann import metrics
from deltann.dataset import lowering
from deltann.dataset.meanings import CELL, DISTURBANCE, DISTURBED
from deltann.precision import FLOAT32
from deltann.tables import comparisons
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.routes import REFERENCE
from deltann.tables.siblings import Siblings
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Answers"
TITLE = "Precision of every cell"
CAPTION = (
    "The precision of every cell: what its convolutions and matrix products compute in, and what "
    "made it so. Answers against the unconverted model in its own framework's runtime: top-1 "
    "labels that differ, in percent of n images with Wilson's 95 % interval; the largest logit "
    "difference; accuracy where labels are known. Time per image at batch 1, and its ratio to the "
    "same runtime in float32, with 95 % bootstrap intervals over images."
)
ACCURACY: Columns = {
    "top1_correct": ("images whose true label is the first one", "1"),
    "top1_percent": ("these, of n_labelled", "percent"),
    **comparisons.range_columns("top1_percent", "percent", "top1_percent, by Wilson"),
}
COLUMNS: Columns = {
    **CELL,
    **FAILURE,
    **lowering.MEANINGS,
    **comparisons.OUTCOME,
    **comparisons.DISSIMILARITY,
    **comparisons.LOGIT_DIFFERENCES,
    **comparisons.REFERENCE,
    **ACCURACY,
    **comparisons.ACCURACY,
    **comparisons.MEDIAN,
    "sibling_status": ("'ok', or why there is no sibling in float32", ""),
    "sibling": ("the names of the same runtime's cell in float32, joined by '/'", ""),
    "ratio": ("time over the sibling's; below 1 is faster", "1"),
    **comparisons.range_columns("ratio", "1", "the ratio, by bootstrap over images"),
    "disturbed": DISTURBED,
    "sibling_disturbed": ("the same of the sibling", "1"),
    **DISTURBANCE,
}
# `sibling_status`: a cell has one, is one itself, or none of the study's cells that ran is one.
SIBLING, ITSELF, NO_SIBLING = "ok", "float32 itself", "not in the study"


def rows(study: Study) -> Iterator[dict]:
    """One row per cell.

    `outcome` is that of `comparisons.outcome`, `reference` for the cell that the others of its
    model are compared with, or `no_reference` if that failed or isn't in the study.
    """
    siblings = Siblings(study)
    for cell in study.cells.index:
        row = study.names(cell) | study.failure(cell) | answers(study, cell)
        row |= {name: study.cells[name][cell] for name in (*lowering.TEXTS, *DISTURBANCE)}
        row["disturbed"] = study.disturbed(cell)
        row |= {name: comparisons.whole(study.cells[name][cell]) for name in lowering.NUMBERS}
        if study.ok(cell):
            row |= _accuracy(study, cell) | time(study, cell) | _ratio(study, siblings, cell)
        yield row


@cache
def answers(study: Study, cell: int) -> dict:
    """A cell's answers against those of its model's reference; cached, as two tables have it.

    The reference itself has no interval: it agrees with itself by definition.
    """
    reference = study.model_reference(cell)
    row: dict = {} if reference is None else {"reference": study.path(reference)}
    if not study.ok(cell):
        return row | {"outcome": comparisons.FAILED}
    if reference is None or not study.ok(reference):
        return row | {"outcome": NO_REFERENCE}
    if reference == cell:
        row |= {"n": len(study.images(cell)), "differing": 0, "dissimilarity_percent": 0.0}
        return row | {"outcome": REFERENCE}
    row |= comparisons.dissimilarity(study, reference, cell)
    row |= comparisons.logits(study, reference, cell)
    row |= comparisons.accuracy(study, reference, cell)
    return row | {"outcome": comparisons.outcome(row)}


def time(study: Study, cell: int) -> dict:
    """The typical image's milliseconds: `comparisons.MEDIAN`; empty if the cell has no times."""
    if not study.timed(cell):
        return {}
    found = comparisons.time(study, cell)
    return {name: found[name] for name in comparisons.MEDIAN}


def _accuracy(study: Study, cell: int) -> dict:
    """How many answers are right: `ACCURACY`; empty if no image has a true label."""
    found = metrics.top_k_accuracy(study.array("label", cell), study.truth(cell), 1)
    if not found.n:
        return {}
    interval = metrics.wilson_interval(found.correct, found.n)
    values = (found.correct, found.percent, *interval)
    return {"n_labelled": found.n} | dict(zip(ACCURACY, values, strict=True))


def _ratio(study: Study, siblings: Siblings, cell: int) -> dict:
    """A cell's time over its float32 sibling's."""
    if study.cells.precision[cell] == FLOAT32:
        return {"sibling_status": ITSELF}
    sibling = siblings.of(cell)
    if sibling is None:
        return {"sibling_status": NO_SIBLING}
    row = comparisons.ratio(study, sibling, cell)
    if row:
        row["sibling_disturbed"] = row.pop("reference_disturbed")
    return row | {"sibling_status": SIBLING, "sibling": study.path(sibling)}
