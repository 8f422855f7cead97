"""Label dissimilarity of a model's sources: the paper's appendix, figure 1.

Each source's model is unconverted and runs in its own framework's runtime, with that framework's
weights and preprocessing. The table shows how the frameworks' models differ before any conversion.
"""

from collections.abc import Iterator
from itertools import combinations

from deltann.cell import NATIVE
from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Answers"
TITLE = "The frameworks' own models against each other"
NEEDS = "sources"
CAPTION = (
    "Top-1 labels that differ between every two frameworks' own models, in percent of n "
    "images with Wilson's 95 % interval. Each model is unconverted and has its own weights, "
    "preprocessing and runtime (the paper's appendix, figure 1)."
)
COLUMNS: Columns = {
    **{name: CELL[name] for name in ("model", "resizer", "device")},
    "source_a": ("framework of a", ""),
    "source_b": ("framework of b", ""),
    **FAILURE,
    **comparisons.FAILED_SIDES,
    **comparisons.DISSIMILARITY,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per pair of sources with the same resizer and device.

    `failed` says which of the two failed: `a`, `b` or `a;b`.
    """
    cells = study.unconverted()
    for shared, group in groups(cells[cells.backend == NATIVE], ("source", "target")):
        for a, b in combinations(group.index, 2):
            row = shared | study.failure(a, b)
            row |= {"source_a": group.source[a], "source_b": group.source[b]}
            failed = [side for side, cell in (("a", a), ("b", b)) if not study.ok(cell)]
            row["failed"] = ";".join(failed)
            yield row if failed else row | comparisons.dissimilarity(study, a, b)
