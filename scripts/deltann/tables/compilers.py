"""What the compiler alone changes: every compiled cell against its own file's native run."""

from collections.abc import Iterator

from deltann.cell import NAMES, NATIVE
from deltann.tables import parts
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.study import FAILURE, Study

COLUMNS = [*NAMES, *FAILURE, "outcome", *parts.DISSIMILARITY]
COLUMNS += ["max_logit_difference", "max_relative_logit_difference", "reference"]


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled cell; what its way into TVM changes is part of it.

    The reference is the target's own runtime on the same file and the same inputs, on the same
    device if the runtime runs there, else on the first. Where it failed or isn't in the study, the
    status is `no_reference`.
    """
    for cell in study.cells[study.cells.backend != NATIVE].index:
        row = study.names(cell) | study.failure(cell)
        reference = study.file_reference(cell)
        if not study.ok(cell):
            row["outcome"] = parts.FAILED
        elif reference is None or not study.ok(reference):
            row["status"] = NO_REFERENCE
        else:
            row |= parts.dissimilarity(study, reference, cell)
            row |= parts.logits(study, reference, cell) | {"reference": study.path(reference)}
            row["outcome"] = parts.outcome(row)
        yield row
