"""The result of each compilation: kernels, the slow ones, passes without work, seconds."""

from collections.abc import Iterator

from deltann.dataset import compilation, meanings
from deltann.tables import comparisons, roofline
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Time"
TITLE = "What each compilation came to"
NEEDS = "compiled cells"
CAPTION = (
    "One row per compilation: the number of kernels, which share of their time is in kernels below "
    "half of what the machine's roofline allows, the worst of these, the passes switched on and "
    "those that had nothing to do, the seconds from the imported model to the library, and the "
    "size of the machine code."
)
CELL = ["model", "source", "target", "route", "importer", "compiler", "schedule", "backend"]
CELL += ["device"]
COLUMNS: Columns = {
    **{name: meanings.CELL[name] for name in CELL},
    **FAILURE,
    "kernels": compilation.MEANINGS["kernels"],
    "kernels_ms": ("time in kernels of one inference", "ms"),
    "slow_percent": ("of that, in kernels below half of what the roofline allows", "percent"),
    "worst_kernel": ("the one of these that takes the most time", ""),
    "worst_percent": ("its share of the time in kernels", "percent"),
    "worst_limit": ("what limits it by the roofline: 'GFLOP/s' or 'GB/s'", ""),
    "worst_rate": ("how much of that it reaches", ""),
    "worst_allowed": ("how much of that the roofline allows", ""),
    **{name: compilation.MEANINGS[name] for name in (*compilation.TEXTS, "compile_seconds")},
    "code_bytes": compilation.MEANINGS["code_bytes"],
    "disturbed": meanings.DISTURBED,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per compiled model file.

    `idle_passes`, joined by `;`, had nothing to do. A file that compiled and then failed to run has
    its numbers too, but those of its kernels' times. So has a cell whose runner times no kernels.
    """
    compiled = study.cells[study.cells.compiled]
    # the same file has a cell for each preparation of the images
    for cell in compiled.drop_duplicates(CELL).index:
        row = dict(study.cells.loc[cell, [*CELL, *compilation.TEXTS, *compilation.NUMBERS]])
        row |= {name: comparisons.whole(row[name]) for name in compilation.COUNTS}
        row |= _slow(study.kernel_times(cell)) | {"disturbed": study.disturbed(cell)}
        yield row | study.failure(cell)


def _slow(times: dict | None) -> dict:
    """The columns about the time in kernels; none where it is unknown."""
    if times is None:
        return {}
    found = roofline.kernels(times)
    slow = roofline.slow(found)
    total = found["ms"].sum()
    columns = {"kernels_ms": total, "slow_percent": 100 * slow["ms"].sum() / total}
    if slow.empty:
        return columns
    worst = slow.iloc[0]
    return columns | {
        "worst_kernel": worst["kernel"],
        "worst_percent": worst["share_percent"],
        "worst_rate": worst["rate"],
        "worst_allowed": worst["allowed"],
        "worst_limit": worst["limit"],
    }
