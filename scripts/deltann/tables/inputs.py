"""What the images' preparation alone changes: one model file, two conventions or resizers."""

from collections.abc import Iterator

from deltann.tables import comparisons
from deltann.tables.study import FAILURE, Study, groups

CATEGORY = "Answers"
CAPTION = (
    "One model file with two preparations of the same images (which preprocessing, which "
    "resizer), in its framework's own runtime: top-1 labels that differ, in percent of n "
    "images with Wilson's 95 % interval, and the largest logit difference."
)
SHARED = ["model", "source", "target", "route", "device"]
COLUMNS = [*SHARED, "preprocessing_a", "resizer_a", "preprocessing_b", "resizer_b", *FAILURE]
COLUMNS += ["outcome", *comparisons.DISSIMILARITY]
COLUMNS += ["max_logit_difference", "max_relative_logit_difference"]


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
