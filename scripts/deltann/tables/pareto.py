"""Time against agreement: which cells are the fastest of those that agree as often."""

from collections.abc import Iterator

from deltann import metrics
from deltann.dataset import lowering
from deltann.dataset.meanings import CELL, DISTURBED
from deltann.tables import comparisons, precision
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Answers"
TITLE = "Time against agreement of every cell"
CAPTION = (
    "Milliseconds per image at batch 1, with their 95 % bootstrap interval over images, against "
    "agreement: how many of n images have the top-1 label of the unconverted model in its own "
    "framework's runtime, with Wilson's 95 % interval. On the frontier (1): the cell is the "
    "fastest of those with the same reference that agree at least as often."
)
COLUMNS: Columns = {
    **CELL,
    **FAILURE,
    "precision": lowering.MEANINGS["precision"],
    **comparisons.OUTCOME,
    **comparisons.N,
    **comparisons.DIFFERING,
    "agreement_percent": ("images with the reference's top-1 label, of n", "percent"),
    **comparisons.range_columns("percent", "percent", "agreement_percent, by Wilson"),
    **comparisons.MEDIAN,
    "disturbed": DISTURBED,
    "frontier": ("1 if no cell with this reference is faster and agrees as often, else 0", "1"),
    **comparisons.REFERENCE,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per cell; `outcome` is as in the table `precision`.

    `frontier` is empty for cells that failed, have no times or have no reference.
    """
    made = [_row(study, cell) for cell in study.cells.index]
    groups: dict[str, list[dict]] = {}
    for row in made:
        if "agreement_percent" in row and "median_ms" in row:
            groups.setdefault(row["reference"], []).append(row)
    for group in groups.values():
        frontier = metrics.pareto_frontier(
            [row["median_ms"] for row in group], [row["agreement_percent"] for row in group]
        )
        for row, on_it in zip(group, frontier, strict=True):
            row["frontier"] = int(on_it)
    yield from made


def _row(study: Study, cell: int) -> dict:
    compared = precision.answers(study, cell)
    row: dict = study.names(cell) | study.failure(cell)
    row |= {name: compared.get(name) for name in ("outcome", "differing", "reference")}
    row |= {"disturbed": study.disturbed(cell), "precision": study.cells.precision[cell]}
    if study.ok(cell):
        row |= precision.time(study, cell) | {"n": len(study.images(cell))}
    if "dissimilarity_percent" in compared:
        row["agreement_percent"] = 100.0 - compared["dissimilarity_percent"]
    if "percent_low" in compared:
        same = compared["n"] - compared["differing"]
        row |= comparisons.ends(metrics.wilson_interval(same, compared["n"]), "percent")
    return row
