"""Time of every cell, and relative to O0 of the same model file on the same device."""

from collections.abc import Iterator

from deltann.cell import COMPILATION, NAMES
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, MACHINE, Study

CATEGORY = "Time"
CAPTION = (
    "Time per image at batch 1 over n images, and its ratio to O0 of the same model file on "
    "the same device, with 95 % bootstrap intervals over images."
)
# The lowest level: what the others' times are relative to.
BASE = "O0"
COLUMNS = [*NAMES, *FAILURE, *comparisons.TIME, *MACHINE]


def rows(study: Study) -> Iterator[dict]:
    """One row per cell. Those of a framework's own runtime are relative to the first O0."""
    for cell in study.cells.index:
        wanted = study.names(cell) | {"backend": BASE}
        if not study.compiled(cell):
            wanted = {name: value for name, value in wanted.items() if name not in COMPILATION}
        row = comparisons.compared_time(study, study.find(**wanted), cell)
        yield row | {name: study.cells[name][cell] for name in MACHINE}
