"""The images on which cells of a model disagree, or nearly do, and the cells' answers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from deltann.dataset.disagreement import differ
from deltann.dataset.study_file import CHUNK_IMAGES, MISSING_LABEL

UNKNOWN = -1
# Images of a model whose cells agree everywhere.
CLOSEST = 12
MARKUP = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


@dataclass(frozen=True)
class Entry:
    """An image, and the answers of the cells of one model or of several.

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


@dataclass(frozen=True)
class Found:
    """What `collect` found.

    Attributes:
        disagreements: images on which cells of a model disagree, by falling `within`, then falling
            `between`, then in the dataset's order.
        closest: for models whose cells agree on every image, the images with the least margin, the
            least first, model by model.
        total: the number of images on which cells disagree, including those dropped.
    """

    disagreements: list[Entry]
    closest: list[Entry]
    total: int


def to_json(value: object) -> str:
    """JSON in ASCII that is safe inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(MARKUP)


def collect(dataset: xr.Dataset, limit: int) -> Found:
    """The images to show.

    Args:
        dataset: the study dataset, read in blocks of images.
        limit: bytes of text; images with the fewest disagreeing cells are dropped beyond it.
    """
    kept: list[Entry] = []
    closest: dict[str, list[tuple[float, Entry]]] = {}
    disagreed: set[str] = set()
    total = 0
    for start in range(0, dataset.sizes["image"], CHUNK_IMAGES):
        block = _Block(dataset.isel(image=slice(start, start + CHUNK_IMAGES)))
        new = list(block.disagreements())
        total += len(new)
        kept = _first(sorted(kept + new, key=lambda item: (-item.within, -item.between)), limit)
        disagreed |= {model for model in block.rows if block.differ[model].any()}
        for model in block.rows.keys() - disagreed:
            calls = closest.get(model, []) + list(block.close_calls(model))
            closest[model] = sorted(calls, key=lambda call: call[0])[:CLOSEST]
    agreeing = [calls for model, calls in sorted(closest.items()) if model not in disagreed]
    return Found(kept, [entry for calls in agreeing for _, entry in calls], total)


def _first(entries: list[Entry], limit: int) -> list[Entry]:
    """The first entries, as many as fit."""
    sizes = np.cumsum([len(entry.text) for entry in entries])
    return entries[: int(np.searchsorted(sizes, limit, side="right"))]


class _Block:
    """Some images of the study.

    Attributes:
        rows: the numbers of each model's cells.
        differ: on which images each model's cells disagree, bool (image,).
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._label = dataset["label"].isel(rank=0).values
        self._margin = _margin(dataset["probability"].isel(rank=slice(2)).values)
        self._truth = np.broadcast_to(dataset["true_label"].values, self._label.shape)
        models, self._sources = (dataset[name].values.astype(str) for name in ("model", "source"))
        self._names = [str(name) for name in dataset["image"].values]
        self.rows = {str(model): np.flatnonzero(models == model) for model in dict.fromkeys(models)}
        self.differ = {model: differ(self._label[cells]) for model, cells in self.rows.items()}

    def disagreements(self) -> Iterator[Entry]:
        """The images on which cells of a model disagree, in the block's order."""
        for image in np.flatnonzero(np.any(list(self.differ.values()), axis=0)).tolist():
            yield self._entry(image, [name for name in self.rows if self.differ[name][image]])

    def close_calls(self, model: str) -> Iterator[tuple[float, Entry]]:
        """The images with the least margin of a model's cells, and that margin."""
        cells = self.rows[model]
        answered = self._label[cells] != MISSING_LABEL
        least = np.where(answered, self._margin[cells], np.inf).min(axis=0)
        for image in np.argsort(least, kind="stable")[:CLOSEST].tolist():
            if np.isfinite(least[image]):
                yield float(least[image]), self._entry(image, [model])

    def _entry(self, image: int, models: list[str]) -> Entry:
        parts = [{"model": model} | self._answers(model, image) for model in models]
        within, between = (sum(part[key] for part in parts) for key in ("within", "between"))
        name = self._names[image]
        return Entry(name, within, between, to_json({"name": name, "models": parts}))

    def _answers(self, model: str, image: int) -> dict:
        """One model's answers to one image."""
        label, margin = self._label[:, image], self._margin[:, image]
        cells = self.rows[model][label[self.rows[model]] != MISSING_LABEL]
        labels, counts = np.unique(label[cells], return_counts=True)
        answers = []
        for value in labels[np.argsort(-counts, kind="stable")]:
            giving = cells[label[cells] == value]
            margins = margin[giving]
            answers.append(
                [int(value), ranges(giving), _round(np.median(margins)), _round(margins.min())]
            )
        truth, sources = self._truth[cells[0], image], self._sources[cells]
        return {
            "truth": None if truth == UNKNOWN else int(truth),
            "within": sum(_minority(label[cells[sources == source]]) for source in set(sources)),
            "between": _minority(label[cells]),
            "answers": answers,
        }


def _margin(probability: np.ndarray) -> np.ndarray:
    """Probability of rank 1 minus that of rank 2 (0 if there is one class), (cell, image)."""
    filled = np.nan_to_num(probability)
    return filled[:, :, 0] - filled[:, :, 1] if filled.shape[2] > 1 else filled[:, :, 0]


def _minority(label: np.ndarray) -> int:
    """The number of cells that don't give the most frequent answer."""
    return int(label.size - np.unique(label, return_counts=True)[1].max())


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def ranges(numbers: np.ndarray) -> str:
    """Rising numbers as text, runs by their ends: `0-3,7`."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ",".join(str(run[0]) if run.size == 1 else f"{run[0]}-{run[-1]}" for run in runs)
