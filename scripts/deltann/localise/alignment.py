"""Which tensors of two models are the same, by what they hold: not by name, order or layout."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from deltann.localise.side import Side

# A tensor is the same up to this share of its largest value, if rounding moves it less.
FLOOR, CEILING = 2e-5, 1e-3
# The image is moved by this share, and a tensor's own movement times this factor is tolerated.
MOVED, FACTOR = 1e-6, 30.0
# Elements that are compared first.
SAMPLE = 256
# What is larger stands for infinity: beside it, no difference would count.
PADDING = 1e30
TO_LAST, TO_FIRST, SAME = (0, 2, 3, 1), (0, 3, 1, 2), (0, 1, 2, 3)


class Match(NamedTuple):
    """A source tensor that a target tensor is equal to.

    Attributes:
        name: of the source tensor.
        order: the axes of the source tensor in the order of the target's, for one image.
        difference: the largest absolute difference over the largest absolute value.
    """

    name: str
    order: tuple[int, ...]
    difference: float


def orders(shape: tuple[int, ...], wanted: tuple[int, ...] | None = None) -> list[tuple[int, ...]]:
    """The orders of axes that a tensor of this shape may have in another format.

    Args:
        shape: of one image's tensor, with the batch.
        wanted: only orders that give this shape; None for all.
    """
    plain = tuple(range(len(shape)))
    given: list[tuple[int, ...]] = [SAME, TO_LAST, TO_FIRST] if len(shape) == 4 else [plain]
    if wanted is None:
        return given
    return [order for order in given if tuple(shape[axis] for axis in order) == tuple(wanted)]


def ordered(values: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Values of all images, (image, *shape), with the axes of each image's tensor in this order."""
    return values.transpose(0, *[axis + 1 for axis in order])


def apart(source: np.ndarray, target: np.ndarray) -> float:
    """The largest absolute difference over the source's largest absolute value.

    Infinity if there are more or fewer numbers, or one isn't finite.
    """
    a, b = np.ravel(source).astype(np.float64), np.ravel(target).astype(np.float64)
    if a.size != b.size:
        return np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        differences = np.where(a == b, 0.0, np.abs(a - b))
    if not np.isfinite(differences).all():
        return np.inf
    largest, scale = differences.max(initial=0), max(map(abs, _range(a)))
    return float(largest / scale) if scale else (np.inf if largest else 0.0)


class Index:
    """Finds the equal of a target's tensor among those of the source.

    Args:
        source: with all tensors captured.
        moved: by tensor, how far rounding moves it: see `movements`.
    """

    def __init__(self, source: Side, moved: dict[str, float]):
        self.source = source
        self.tolerance = {
            name: float(np.clip(FACTOR * moved.get(name, 0.0), FLOOR, CEILING))
            for name in source.tensors
        }
        self._of_size: dict[int, list[str]] = {}
        self._range: dict[str, tuple[float, float]] = {}
        for name in dict.fromkeys(source.tensors):
            if source.knows(name):
                values = source.values(name)
                self._of_size.setdefault(values.size, []).append(name)
                self._range[name] = _range(values)

    def of_size(self, size: int) -> list[str]:
        """The source's tensors of so many elements on all images."""
        return self._of_size.get(size, [])

    def find(self, values: np.ndarray) -> Match | None:
        """The first equal of a tensor, or None.

        Args:
            values: (image, *shape).
        """
        if not np.isfinite(values).all():
            return None
        low, high = _range(values)
        for name in self.of_size(values.size):
            tolerance, range_ = self.tolerance[name], self._range[name]
            scale = max(abs(range_[0]), abs(range_[1]))
            if max(abs(low - range_[0]), abs(high - range_[1])) > tolerance * scale:
                continue
            for order, form in self._forms(name, values.shape[1:]):
                if self._alike(form, values, tolerance * scale):
                    difference = apart(form, values)
                    if difference <= tolerance:
                        return Match(name, order, difference)
        return None

    def _forms(
        self, name: str, shape: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """The source tensor in each order that a tensor of this shape may be."""
        values = self.source.values(name)
        own = values.shape[1:]
        same_rank = len(own) == 4 and len(shape) == 4
        for order in orders(own, shape if same_rank else None):
            yield order, ordered(values, order)

    @staticmethod
    def _alike(form: np.ndarray, values: np.ndarray, allowed: float) -> bool:
        one, other = np.ravel(form[0]), np.ravel(values[0])
        step = max(1, one.size // SAMPLE)
        return not np.abs(one[::step] - other[::step]).max(initial=0) > allowed


def _range(values: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest number, and zero; without those that pad for a max pool."""
    with np.errstate(invalid="ignore"):
        numbers = values[np.abs(values) < PADDING]
    return float(numbers.min(initial=0)), float(numbers.max(initial=0))


def movements(side: Side, seed: int = 0) -> dict[str, float]:
    """How far rounding moves each tensor: as if each pixel were changed by up to `MOVED`.

    Returns:
        By tensor, `apart` of the first image's tensor from itself.
    """
    image = side.images[:1]
    noise = np.random.default_rng(seed).uniform(-1, 1, image.shape)
    shaken = Side(side.tracer, (image * (1 + MOVED * noise)).astype(np.float32), side.moved_folder)
    found = {}
    names = [name for name in side.tensors if side.knows(name)]
    shaken.capture(names)
    for name in names:
        found[name] = apart(side.values(name)[:1], shaken.values(name))
    return found
