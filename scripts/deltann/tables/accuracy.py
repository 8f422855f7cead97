"""Top-1 and top-5 accuracy of every cell, in percent of the images with a true label."""

from collections.abc import Iterator

from deltann import metrics
from deltann.cell import NAMES
from deltann.tables.comparisons import RANGE, ends
from deltann.tables.study import FAILURE, Study

CATEGORY = "Answers"
CAPTION = (
    "Top-1 and top-5 accuracy of every cell, in percent of the n images that have a true "
    "label, with Wilson's 95 % interval."
)
TOP = 5
COLUMNS = [*NAMES, *FAILURE, "n"]
COLUMNS += [f"{top}_{what}" for top in ("top1", "top5") for what in ("correct", "percent", *RANGE)]


def rows(study: Study) -> Iterator[dict]:
    """One row per cell."""
    for cell in study.cells.index:
        row: dict = study.names(cell) | study.failure(cell)
        if study.ok(cell):
            ranked, truth = study.array("label", cell), study.truth(cell)
            for name, k in (("top1", 1), ("top5", min(TOP, ranked.shape[1]))):
                accuracy = metrics.top_k_accuracy(ranked, truth, k)
                row |= {"n": accuracy.n, f"{name}_correct": accuracy.correct}
                row |= {f"{name}_percent": accuracy.percent}
                if accuracy.n:
                    interval = metrics.wilson_interval(accuracy.correct, accuracy.n)
                    row |= ends(interval, prefix=f"{name}_")
        yield row
