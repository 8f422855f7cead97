"""The result of each compilation: kernels, unscheduled ones, passes without work, seconds."""

from collections.abc import Iterator

from deltann.dataset import compilation, meanings
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Time"
TITLE = "What each compilation came to"
NEEDS = "compiled cells"
CAPTION = (
    "One row per compilation: the number of kernels and of those that no schedule fits, the "
    "passes switched on and those that had nothing to do, the seconds from the imported model "
    "to the library, and the size of the machine code."
)
CELL = ["model", "source", "target", "route", "importer", "compiler", "schedule", "backend"]
CELL += ["device"]
COLUMNS: Columns = {
    **{name: meanings.CELL[name] for name in CELL},
    **FAILURE,
    **{name: compilation.MEANINGS[name] for name in ("kernels", "unscheduled")},
    **{name: compilation.MEANINGS[name] for name in (*compilation.TEXTS, "compile_seconds")},
    "code_bytes": compilation.MEANINGS["code_bytes"],
}


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
