"""Time of every cell, and relative to O0 of the same model file on the same device."""

from collections.abc import Iterator

from deltann.cell import COMPILATION
from deltann.dataset.meanings import CELL, DISTURBANCE
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Time"
TITLE = "Time of every cell"
CAPTION = (
    "Time per image at batch 1 over n images, and its ratio to O0 of the same model file on "
    "the same device, with 95 % bootstrap intervals over images."
)
# The lowest level, which the others are relative to.
BASE = "O0"
COLUMNS: Columns = {**CELL, **FAILURE, **comparisons.TIME, **DISTURBANCE}


def rows(study: Study) -> Iterator[dict]:
    """One row per cell; cells of a framework's own runtime are relative to the first O0.

    Cells on an emulated device have no row.
    """
    for cell in study.real_cells().index:
        base = study.names(cell) | {"backend": BASE}
        if not study.compiled(cell):
            base = {name: value for name, value in base.items() if name not in COMPILATION}
        row = comparisons.compared_time(study, study.find(**base), cell)
        yield row | {name: study.cells[name][cell] for name in DISTURBANCE}
