"""Every cell against the native cell of its model and source: labels, ranks, logits, accuracy."""

from collections.abc import Iterator

from deltann import metrics
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Answers"
TITLE = "Every cell against the unconverted model"
NEEDS = "comparisons"
CAPTION = (
    "Every cell against the unconverted model in its own framework's runtime: top-1 labels "
    "that differ, in percent of n images with Wilson's 95 % interval; agreement of the ranked "
    "labels; the largest logit difference; answers that turned wrong or right. Outcomes: "
    "failed (with the stage), labels differ, logits differ, or identical. Identical means "
    "equal labels, and every logit within 0.0001 of the image's largest logit."
)
RANKED: Columns = {
    # the metric's own words
    name: (f"mean over the images: {str(metric.__doc__).splitlines()[0].rstrip('.')}", "1")
    for name, metric in metrics.RANKED.items()
}
COLUMNS: Columns = {
    **CELL,
    **FAILURE,
    **comparisons.OUTCOME,
    **comparisons.DISSIMILARITY,
    **RANKED,
    **comparisons.LOGIT_DIFFERENCES,
    **comparisons.ACCURACY,
    **comparisons.REFERENCE,
}
NO_REFERENCE = "no_reference"


def rows(study: Study) -> Iterator[dict]:
    """One row per cell, except references (see `Study.model_reference`).

    If its reference failed or isn't in the study, a cell has the status `no_reference`.
    """
    for cell in study.cells.index:
        reference = study.model_reference(cell)
        if reference == cell:
            continue
        row = study.names(cell) | study.failure(cell)
        if not study.ok(cell):
            row["outcome"] = comparisons.FAILED
        elif reference is None or not study.ok(reference):
            row["status"] = NO_REFERENCE
        else:
            row |= _against(study, reference, cell) | {"reference": study.path(reference)}
            row["outcome"] = comparisons.outcome(row)
        yield row


def _against(study: Study, reference: int, cell: int) -> dict:
    ranked = study.array("label", reference), study.array("label", cell)
    row = comparisons.dissimilarity(study, reference, cell) | comparisons.logits(
        study, reference, cell
    )
    row |= {name: metric(*ranked).mean() for name, metric in metrics.RANKED.items()}
    return row | comparisons.accuracy(study, reference, cell)
