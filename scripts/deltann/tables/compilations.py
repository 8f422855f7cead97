"""What each compilation came to: kernels, those unscheduled, passes without work, seconds."""

from collections.abc import Iterator

from deltann.dataset import compilation
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
    """One row per compiled model file; `idle_passes` found nothing to do, joined by `;`.

    `unscheduled` kernels run as TVM's plain loops, since no schedule fits them; it is empty where
    the study's schedule is `none`. A file that failed only when it ran is here with its numbers.
    """
    compiled = study.cells[study.cells.compiled]
    # the same file, on images prepared in another way, is there again
    for cell in compiled.drop_duplicates(CELL).index:
        known = study.cells.loc[cell, [*CELL, *compilation.TEXTS, *compilation.NUMBERS]]
        yield dict(known) | study.failure(cell)
