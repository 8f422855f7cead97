"""Label dissimilarity of every two targets of a model and source, in their own runtimes."""

from collections.abc import Iterator
from itertools import combinations

from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Answers"
TITLE = "A model's versions in different frameworks, in pairs"
NEEDS = "targets"
CAPTION = (
    "Top-1 labels that differ between every two targets of a model, each route separately, in "
    "percent of n images with Wilson's 95 % interval. Each target runs in its framework's own "
    "runtime on the same prepared images."
)
SHARED = ["model", "source", "preprocessing", "resizer", "device"]
COLUMNS: Columns = {
    **{name: CELL[name] for name in SHARED},
    **{
        f"{name}_{side}": (f"{name} of {side}", "")
        for side in ("a", "b")
        for name in ("target", "route")
    },
    **FAILURE,
    **comparisons.FAILED_SIDES,
    **comparisons.DISSIMILARITY,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per pair of (target, route) with the same preprocessing, resizer and device.

    `failed` says which of the two failed: `a`, `b` or `a;b`.
    """
    for shared, group in groups(study.native_cells(), ("target", "route", "importer", "backend")):
        for a, b in combinations(group.index, 2):
            row = shared | study.failure(a, b)
            for side, cell in (("a", a), ("b", b)):
                row |= {f"target_{side}": group.target[cell], f"route_{side}": group.route[cell]}
            failed = [side for side, cell in (("a", a), ("b", b)) if not study.ok(cell)]
            row["failed"] = ";".join(failed)
            yield row if failed else row | comparisons.dissimilarity(study, a, b)
