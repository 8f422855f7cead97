"""Every cell against the native cell of its model and source: labels, ranks, logits, accuracy."""

from collections.abc import Iterator

from deltann import metrics
from deltann.cell import NAMES
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Study

CATEGORY = "Answers"
CAPTION = (
    "Every cell against the unconverted model in its own framework's runtime: top-1 labels "
    "that differ, in percent of n images with Wilson's 95 % interval; agreement of the ranked "
    "labels; the largest logit difference; answers that turned wrong or right. Outcomes: "
    "failed (with the stage), labels differ, logits differ, or identical. Identical means "
    "equal labels, and every logit within 0.0001 of the image's largest logit."
)
COLUMNS = [*NAMES, *FAILURE, "outcome", *comparisons.DISSIMILARITY]
COLUMNS += [*metrics.RANKED]
COLUMNS += ["max_logit_difference", "max_relative_logit_difference"]
COLUMNS += [*comparisons.ACCURACY, "reference"]
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
