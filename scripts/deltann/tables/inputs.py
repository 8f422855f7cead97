"""What the images' preparation alone changes: one model file, two conventions or resizers."""

from collections.abc import Iterator

from deltann.dataset.meanings import CELL
from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Columns, Study, groups

CATEGORY = "Answers"
TITLE = "Two preparations of the same images"
NEEDS = "preparations"
CAPTION = (
    "One model file with two preparations of the same images (which preprocessing, which "
    "resizer), in its framework's own runtime: top-1 labels that differ, in percent of n "
    "images with Wilson's 95 % interval, and the largest logit difference."
)
SHARED = ["model", "source", "target", "route", "device"]
COLUMNS: Columns = {
    **{name: CELL[name] for name in SHARED},
    **{
        f"{name}_{side}": (f"{name} of {side}", "")
        for side in ("a", "b")
        for name in ("preprocessing", "resizer")
    },
    **FAILURE,
    **comparisons.OUTCOME,
    **comparisons.DISSIMILARITY,
    **comparisons.LOGIT_DIFFERENCES,
}


def rows(study: Study) -> Iterator[dict]:
    """One row per model file and preparation after its first, in the file's own runtime.

    a is the file's first preparation in the dataset, b the other one.
    """
    for shared, group in groups(study.native_cells(), ("preprocessing", "resizer")):
        first, *others = group.index
        for cell in others:
            row = shared | study.failure(first, cell)
            for side, one in (("a", first), ("b", cell)):
                row[f"preprocessing_{side}"] = group.preprocessing[one]
                row[f"resizer_{side}"] = group.resizer[one]
            if study.ok(first) and study.ok(cell):
                row |= comparisons.dissimilarity(study, first, cell) | comparisons.logits(
                    study, first, cell
                )
                row["outcome"] = comparisons.outcome(row)
            else:
                row["outcome"] = comparisons.FAILED
            yield row
