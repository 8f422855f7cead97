"""Columns that several tables share: comparisons of two cells, and times."""

import re
from functools import cache

import numpy as np

from deltann import metrics
from deltann.dataset.meanings import DISTURBED
from deltann.tables.study import Columns, Study
from deltann.tolerance import TOLERANCE

# Between the names of images, and such a letter in a name.
SEPARATOR, ESCAPED = ";", r"\;"
# Intervals are the same in every run.
SEED = 0
FAILED, LABELS, LOGITS, IDENTICAL = "failed", "labels differ", "logits differ", "identical"


def range_columns(quantity: str, unit: str, of: str) -> Columns:
    """The columns of an interval, such as `ms_low` and `ms_high` for the quantity `ms`."""
    ends = {"low": "lower", "high": "upper"}
    return {
        f"{quantity}_{end}": (f"{word} end of the 95 % interval of {of}", unit)
        for end, word in ends.items()
    }


N: Columns = {"n": ("images that the row is about", "1")}
MS: Columns = range_columns("ms", "ms", "median_ms, by bootstrap over images")
RATIO: Columns = {
    "ratio": ("time over the reference's; below 1 is faster", "1"),
    **range_columns("ratio", "1", "the ratio, by bootstrap over images"),
}
DIFFERING: Columns = {"differing": ("images whose top-1 label differs from the reference's", "1")}
DISSIMILARITY: Columns = {
    **N,
    **DIFFERING,
    "dissimilarity_percent": ("images whose top-1 label differs, of n", "percent"),
    **range_columns("percent", "percent", "dissimilarity_percent, by Wilson"),
    "differing_images": (r"their names, joined by ';'; '\;' is such a letter in a name", ""),
}
LOGIT_DIFFERENCES: Columns = {
    "max_logit_difference": ("largest difference of a logit", "1"),
    "max_relative_logit_difference": (
        "largest difference of a logit, relative to its image's largest logit",
        "1",
    ),
}
OUTCOME: Columns = {
    "outcome": (
        "'identical', 'logits differ', 'labels differ', 'failed', 'reference' or 'no_reference'",
        "",
    )
}
REFERENCE: Columns = {"reference": ("the names of the cell compared with, joined by '/'", "")}
FAILED_SIDES: Columns = {"failed": ("which of the two failed: 'a', 'b' or 'a;b'", "")}
ACCURACY: Columns = {
    "n_labelled": ("images with a true label", "1"),
    "correct_to_wrong": ("answers that are right in the reference and wrong here", "1"),
    "wrong_to_correct": ("answers that are wrong in the reference and right here", "1"),
    "mcnemar_p": ("p value of McNemar's exact test that both change alike", "1"),
}
MEDIAN: Columns = {"median_ms": ("time of the typical image at batch 1", "ms"), **MS}
TIME: Columns = {
    **N,
    **MEDIAN,
    **RATIO,
    "disturbed": DISTURBED,
    "reference_disturbed": ("the same of the reference", "1"),
}


def image_names(joined: object) -> list[str]:
    """The images of `differing_images`; none if it is empty or missing."""
    names = re.split(rf"(?<!\\){SEPARATOR}", joined) if isinstance(joined, str) else []
    return [name.replace(ESCAPED, SEPARATOR) for name in names if name]


def whole(value: float) -> int | None:
    """A count of the dataset, which has floats there; None if it is missing."""
    return None if np.isnan(value) else int(value)


def ends(interval: metrics.Interval, quantity: str, scale: float = 1.0) -> dict[str, float]:
    """An interval as two columns, such as `ms_low` and `ms_high` for the quantity `ms`."""
    return {f"{quantity}_low": scale * interval.low, f"{quantity}_high": scale * interval.high}


def dissimilarity(study: Study, a: int, b: int) -> dict:
    """Top-1 label dissimilarity of two cells in percent, and the images behind it."""
    top_a, top_b = study.array("label", a)[:, 0], study.array("label", b)[:, 0]
    differs = metrics.top1_differs(top_a, top_b)
    return {
        "n": differs.size,
        "differing": int(differs.sum()),
        "dissimilarity_percent": metrics.top1_dissimilarity(top_a, top_b),
        **ends(metrics.wilson_interval(int(differs.sum()), differs.size), "percent"),
        "differing_images": SEPARATOR.join(
            name.replace(SEPARATOR, ESCAPED) for name in study.images(a)[differs]
        ),
    }


def logits(study: Study, reference: int, cell: int) -> dict:
    """The largest logit difference, absolute and relative to its image's largest logit."""
    pairs = zip(study.blocks("logits", reference), study.blocks("logits", cell), strict=True)
    blocks = [metrics.logit_difference(*pair) for pair in pairs if any(map(len, pair))]
    return {
        "max_logit_difference": max(block.absolute.max() for block in blocks),
        "max_relative_logit_difference": max(block.relative.max() for block in blocks),
    }


def accuracy(study: Study, reference: int, cell: int) -> dict:
    """Answers that turned wrong or right; empty if no image has a true label."""
    truth = study.truth(cell)
    if not (truth != metrics.UNKNOWN_LABEL).any():
        return {}
    change = metrics.accuracy_change(
        study.array("label", reference)[:, 0], study.array("label", cell)[:, 0], truth
    )
    values = (change.n, change.correct_to_wrong, change.wrong_to_correct, change.p_value)
    return dict(zip(ACCURACY, values, strict=True))


def outcome(row: dict) -> str:
    """The outcome of a comparison, by its `differing` and `max_relative_logit_difference`.

    `identical`: the same labels, and every logit within `TOLERANCE` of the image's largest one. If
    all logits are equal to the last bit, `max_logit_difference` is 0.
    """
    if row["differing"]:
        return LABELS
    return IDENTICAL if row["max_relative_logit_difference"] <= TOLERANCE else LOGITS


@cache
def time(study: Study, cell: int) -> dict:
    """The typical image's milliseconds with their interval; cached, as three tables have it."""
    seconds = study.seconds(cell)
    interval = metrics.median_latency_interval(seconds, SEED)
    median = 1000 * metrics.median_latency(seconds)
    return {"n": len(seconds), "median_ms": median} | ends(interval, "ms", 1000)


def ratio(study: Study, reference: int | None, cell: int) -> dict:
    """A cell's time over its reference's; empty if one of them has none."""
    if reference is None or not study.timed(reference) or not study.timed(cell):
        return {}
    seconds = study.seconds(reference), study.seconds(cell)
    interval = metrics.latency_ratio_interval(*seconds, SEED)
    row = {"ratio": metrics.latency_ratio(*seconds), **ends(interval, "ratio")}
    return row | {"reference_disturbed": study.disturbed(reference)}


def compared_time(study: Study, reference: int | None, cell: int) -> dict:
    """A cell's names, failure, time and ratio: the columns `NAMES`, `FAILURE` and `TIME`."""
    row = study.names(cell) | study.failure(cell) | {"disturbed": study.disturbed(cell)}
    return row | (time(study, cell) | ratio(study, reference, cell) if study.ok(cell) else {})


def image_seconds(study: Study, cell: int) -> np.ndarray:
    """Each image's median latency in seconds, (image,)."""
    return np.median(study.seconds(cell), axis=1)
