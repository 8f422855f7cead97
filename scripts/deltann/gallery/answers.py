"""The images on which cells of a model disagree, and their answers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from deltann.dataset.aggregate import CHUNK_IMAGES, MISSING_LABEL
from deltann.dataset.disagreement import differ

UNKNOWN = -1
MARKUP = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


@dataclass(frozen=True)
class Entry:
    """An image on which cells of one model, or of several, disagree.

    Attributes:
        name: the image's name.
        within: number of cells whose answer isn't the most frequent one of their model and source.
        between: number of cells whose answer isn't the most frequent one of their model.
        text: `name` and `models` as JSON for a script element. Each model has `model`, `truth` (or
            null), `within`, `between` and `answers`. Answers are sorted by falling frequency; each
            has its label, the numbers of its cells (`0-3,7`), and the median and the least margin
            of these cells (probability of rank 1 minus that of rank 2, three digits).
    """

    name: str
    within: int
    between: int
    text: str


def to_json(value: object) -> str:
    """JSON in ASCII that is safe inside a script element of HTML and of XML."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(MARKUP)


def collect(dataset: xr.Dataset, limit: int) -> tuple[list[Entry], int]:
    """The images on which cells of a model disagree, those with the most such cells first.

    Args:
        dataset: the study dataset, read in blocks of images.
        limit: bytes of text; images with the fewest disagreeing cells are dropped beyond it.

    Returns:
        The entries, by falling `within`, then falling `between`, then in the dataset's order; and
        their number including dropped ones.
    """
    kept: list[Entry] = []
    total = 0
    for start in range(0, dataset.sizes["image"], CHUNK_IMAGES):
        block = dataset.isel(image=slice(start, start + CHUNK_IMAGES))
        new = list(_entries(block))
        total += len(new)
        kept = _first(sorted(kept + new, key=lambda item: (-item.within, -item.between)), limit)
    return kept, total


def _first(entries: list[Entry], limit: int) -> list[Entry]:
    """The first entries, as many as fit."""
    sizes = np.cumsum([len(entry.text) for entry in entries])
    return entries[: int(np.searchsorted(sizes, limit, side="right"))]


def _entries(block: xr.Dataset) -> Iterator[Entry]:
    """The entries of a block of images, in the block's order."""
    label = block["label"].isel(rank=0).values
    margin = _margin(block["probability"].isel(rank=slice(2)).values)
    truth = np.broadcast_to(block["true_label"].values, label.shape)
    models, sources = (block[name].values.astype(str) for name in ("model", "source"))
    rows = {model: np.flatnonzero(models == model) for model in dict.fromkeys(models)}
    differ_by_model = {model: differ(label[cells]) for model, cells in rows.items()}
    for image, name in enumerate(block["image"].values):
        parts = []
        for model, cells in rows.items():
            if not differ_by_model[model][image]:
                continue
            cells = cells[label[cells, image] != MISSING_LABEL]
            part = _answers(cells, sources, label[:, image], margin[:, image], truth[:, image])
            parts.append({"model": str(model)} | part)
        if parts:
            within, between = (sum(part[key] for part in parts) for key in ("within", "between"))
            text = to_json({"name": str(name), "models": parts})
            yield Entry(str(name), within, between, text)


def _margin(probability: np.ndarray) -> np.ndarray:
    """Probability of rank 1 minus that of rank 2 (0 if there is one class), (cell, image)."""
    filled = np.nan_to_num(probability)
    return filled[:, :, 0] - filled[:, :, 1] if filled.shape[2] > 1 else filled[:, :, 0]


def _answers(
    cells: np.ndarray,
    sources: np.ndarray,
    label: np.ndarray,
    margin: np.ndarray,
    truth: np.ndarray,
) -> dict:
    """One model's answers to one image.

    Args:
        cells: numbers of the model's cells that answered the image.
        sources: each cell's source, (cell,), of all cells; likewise the others.
        label: each cell's answer.
        margin: its margin.
        truth: the true label, `UNKNOWN` if it isn't known.
    """
    labels, counts = np.unique(label[cells], return_counts=True)
    answers = []
    for value in labels[np.argsort(-counts, kind="stable")]:
        giving = cells[label[cells] == value]
        margins = margin[giving]
        answers.append(
            [int(value), ranges(giving), _round(np.median(margins)), _round(margins.min())]
        )
    return {
        "truth": None if truth[cells[0]] == UNKNOWN else int(truth[cells[0]]),
        "within": sum(_minority(label[cells[sources[cells] == of]]) for of in set(sources[cells])),
        "between": _minority(label[cells]),
        "answers": answers,
    }


def _minority(label: np.ndarray) -> int:
    """The number of cells that don't give the most frequent answer."""
    return int(label.size - np.unique(label, return_counts=True)[1].max())


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def ranges(numbers: np.ndarray) -> str:
    """Rising numbers as text, runs by their ends: `0-3,7`."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ",".join(str(run[0]) if run.size == 1 else f"{run[0]}-{run[-1]}" for run in runs)
