"""The outcome of each route: failed, labels differ, logits differ, or identical."""

from collections.abc import Iterator

from deltann.cell import COMPILATION
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.conversions import NO_REFERENCE
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Answers"
TITLE = "The outcome of each route"
CAPTION = (
    "The outcome of each route in the target framework's own runtime: failed (with stage and "
    "error), labels differ, logits differ, or identical (equal labels, and every logit within "
    "0.0001 of the image's largest logit), with Wilson's 95 % interval over n images. Also "
    "how many cells the route has, and how many of them failed."
)
SHARED = ["model", "source", "target", "route", "preprocessing", "resizer"]
COLUMNS: Columns = {
    **{name: CELL[name] for name in SHARED},
    **comparisons.OUTCOME,
    **FAILURE,
    **comparisons.DISSIMILARITY,
    **comparisons.LOGIT_DIFFERENCES,
    "cells": ("cells of the route, compiled ones too", "1"),
    "failed_cells": ("of these, the ones that failed", "1"),
}
REFERENCE = "reference"


def rows(study: Study) -> Iterator[dict]:
    """One row per route, preprocessing and resizer: its cell in the target's own runtime.

    The cell is that of the first device with that runtime. The native model is its own
    `reference`. `cells` and `failed_cells` also count compiled cells and other devices.
    """
    for shared, group in groups(study.cells, (*COMPILATION, "backend", "device")):
        native = group.index.intersection(study.native_cells().index)
        if native.empty:
            continue
        failed = [cell for cell in group.index if not study.ok(cell)]
        yield shared | {"cells": len(group), "failed_cells": len(failed)} | _row(study, native[0])


def _row(study: Study, cell: int) -> dict:
    reference = study.model_reference(cell)
    row = study.failure(cell)
    if not study.ok(cell):
        return row | {"outcome": comparisons.FAILED}
    if reference == cell:
        return row | {"outcome": REFERENCE}
    if reference is None or not study.ok(reference):
        return row | {"status": NO_REFERENCE}
    row |= comparisons.dissimilarity(study, reference, cell) | comparisons.logits(
        study, reference, cell
    )
    return row | {"outcome": comparisons.outcome(row)}
