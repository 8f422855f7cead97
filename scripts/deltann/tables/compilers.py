"""What the compiler alone changes: every compiled cell against its model file's native run."""

from collections.abc import Iterator

from deltann.cell import NATIVE
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Answers"
TITLE = "What the compiler alone changes"
NEEDS = "other backends"
CAPTION = (
    "What the compiler changes by itself: every compiled cell against the target framework's "
    "own runtime on the same model file and inputs. The import into TVM is part of this "
    "change; the conversion before it isn't. Labels with Wilson's 95 % interval over n "
    "images, and the largest logit difference."
)
COLUMNS: Columns = {
    **CELL,
    **FAILURE,
    **comparisons.OUTCOME,
    **comparisons.DISSIMILARITY,
    **comparisons.LOGIT_DIFFERENCES,
    **comparisons.REFERENCE,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled cell; its import into TVM is part of the difference.

    The reference is the same model file with the same inputs in the target's own runtime, on the
    same device if the runtime runs there, else on the first one. If it failed or isn't in the
    study, the status is `no_reference`.
    """
    for cell in study.cells[study.cells.backend != NATIVE].index:
        row = study.names(cell) | study.failure(cell)
        reference = study.file_reference(cell)
        if not study.ok(cell):
            row["outcome"] = comparisons.FAILED
        elif reference is None or not study.ok(reference):
            row["status"] = NO_REFERENCE
        else:
            row |= comparisons.dissimilarity(study, reference, cell)
            row |= comparisons.logits(study, reference, cell) | {"reference": study.path(reference)}
            row["outcome"] = comparisons.outcome(row)
        yield row
