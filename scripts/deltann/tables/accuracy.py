"""Top-1 and top-5 accuracy of every cell, in percent of the images with a true label."""

from collections.abc import Iterator

from deltann import metrics
from deltann.dataset.meanings import CELL
from deltann.tables.comparisons import ends, range_columns
from deltann.tables.study import FAILURE, Columns, Study

CATEGORY = "Answers"
TITLE = "Accuracy of every cell"
CAPTION = (
    "Top-1 and top-5 accuracy of every cell, in percent of the n images that have a true "
    "label, with Wilson's 95 % interval."
)
TOP = 5
COLUMNS: Columns = {**CELL, **FAILURE, "n": ("images with a true label", "1")}
for top, k in (("top1", 1), ("top5", TOP)):
    COLUMNS |= {
        f"{top}_correct": (f"images whose true label is among the first {k}", "1"),
        f"{top}_percent": ("these, of n", "percent"),
        **range_columns(f"{top}_percent", "percent", f"{top}_percent, by Wilson"),
    }


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
                    row |= ends(interval, f"{name}_percent")
        yield row
