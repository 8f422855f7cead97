"""The result of each compilation: kernels, unscheduled ones, passes without work, seconds."""

from collections.abc import Iterator

from deltann.dataset import compilation
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Study

CATEGORY = "Time"
CAPTION = (
    "One row per compilation: the number of kernels and of those that no schedule fits, the "
    "passes switched on and those that had nothing to do, the seconds from the imported model "
    "to the library, and the size of the machine code."
)
CELL = ["model", "source", "target", "route", "importer", "compiler", "schedule", "backend"]
CELL += ["device"]
COLUMNS = [*CELL, *FAILURE, "kernels", "unscheduled", "passes", "idle_passes", "compile_seconds"]
COLUMNS += ["code_bytes"]


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled model file.

    `idle_passes`, joined by `;`, had nothing to do. `unscheduled` kernels run as TVM's plain loops,
    since no schedule fits them; the column is empty if the schedule is `none`. A file that compiled
    and then failed to run has its numbers too.
    """
    compiled = study.cells[study.cells.compiled]
    # the same file has a cell for each preparation of the images
    for cell in compiled.drop_duplicates(CELL).index:
        row = dict(study.cells.loc[cell, [*CELL, *compilation.TEXTS, *compilation.NUMBERS]])
        row |= {name: comparisons.whole(row[name]) for name in compilation.COUNTS}
        yield row | study.failure(cell)
