"""Times across devices, level by level: the paper's figures 3 to 5 and 15 to 17."""

from collections.abc import Iterator

from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Time"
TITLE = "Times across devices"
NEEDS = "devices"
CAPTION = (
    "Time per image at batch 1 over n images, and its ratio to the same model file and "
    "backend on the study's first device, with 95 % bootstrap intervals over images (the "
    "paper's figures 3 to 5 and 15 to 17)."
)
COLUMNS: Columns = {
    **CELL,
    **FAILURE,
    "reference_device": ("device of the cell compared with", ""),
    **comparisons.TIME,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per cell, relative to the same cell on the study's first device if it ran there.

    Emulated devices don't count.
    """
    cells = study.real_cells()
    for cell in cells.index:
        first = cells.device.iloc[0]
        reference = study.find(**(study.names(cell) | {"device": first}))
        yield comparisons.compared_time(study, reference, cell) | {"reference_device": first}
