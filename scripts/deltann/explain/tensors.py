"""Whether two kernels' results are the same tensor, in whatever layout each one is."""

import math
from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np

from deltann.tolerance import TOLERANCE

# Elements that are compared first; all elements only if these agree.
SAMPLE = 64


class Difference(NamedTuple):
    """How much two tensors of the same size differ.

    Attributes:
        largest: the largest absolute difference; infinity if one isn't finite.
        relative: `largest` over the first tensor's largest absolute value.
        differing: number of elements that differ by more than `TOLERANCE` of that value.
        elements: number of elements of either tensor.
    """

    largest: float
    relative: float
    differing: int
    elements: int

    @property
    def matters(self) -> bool:
        """Whether the tensors differ beyond rounding."""
        return self.relative > TOLERANCE


def difference(reference: np.ndarray, other: np.ndarray) -> Difference:
    """Compare element by element, in float64.

    Args:
        reference: real numbers of any shape.
        other: as many numbers, in the same order.

    Returns:
        The normwise relative difference, as in `metrics.logit_difference`, and its parts.
    """
    a, b = reference.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    with np.errstate(invalid="ignore"):
        apart = np.where(a == b, 0.0, np.abs(a - b))
    apart[np.isnan(apart)] = np.inf
    largest, scale = float(apart.max(initial=0)), float(np.abs(a).max(initial=0))
    relative = largest / scale if 0 < scale < math.inf else math.inf if largest else 0.0
    differing = int((apart > TOLERANCE * scale).sum()) if math.isfinite(scale) else a.size
    return Difference(largest, relative, differing, a.size)


def forms(tensor: np.ndarray, sizes: Container[int]) -> Iterator[np.ndarray]:
    """The tensor, flat, in every order of elements that the same content may have elsewhere.

    A tensor of four dimensions may have its channels second or last. One of five is packed, (n,
    block, height, width, lane), and its last lanes may be padding. No other order is tried: a
    permuted tensor is what a wrong layout makes.

    Args:
        tensor: of any shape.
        sizes: only forms with one of these numbers of elements are given.
    """
    if tensor.size in sizes:
        yield tensor.ravel()
        if tensor.ndim == 4:
            yield tensor.transpose(0, 2, 3, 1).ravel()
            yield tensor.transpose(0, 3, 1, 2).ravel()
    if tensor.ndim == 5:
        n, blocks, height, width, lanes = tensor.shape
        plain = tensor.transpose(0, 1, 4, 2, 3).reshape(n, blocks * lanes, height, width)
        for channels in range(blocks * lanes, (blocks - 1) * lanes, -1):
            if n * channels * height * width in sizes:
                yield plain[:, :channels].ravel()
                yield plain[:, :channels].transpose(0, 2, 3, 1).ravel()


class Index:
    """Finds a tensor among those of a reference."""

    def __init__(self, tensors: list[np.ndarray]) -> None:
        self.tensors = [tensor.ravel() for tensor in tensors]
        self._of_size: dict[int, list[int]] = {}
        for number, tensor in enumerate(tensors):
            self._of_size.setdefault(tensor.size, []).append(number)

    def find(self, tensor: np.ndarray) -> int | None:
        """The number of the first tensor equal to this one up to layout and rounding, or None."""
        for form in forms(tensor, self._of_size):
            for number in self._of_size[form.size]:
                if self._alike(self.tensors[number], form):
                    return number
        return None

    def _alike(self, tensor: np.ndarray, form: np.ndarray) -> bool:
        step = max(1, tensor.size // SAMPLE)
        scale = max(abs(float(tensor.max(initial=0))), abs(float(tensor.min(initial=0))))
        with np.errstate(invalid="ignore"):
            apart = np.abs(tensor[::step] - form[::step]).max(initial=0)
        # most tensors differ in the sample already
        return not apart > TOLERANCE * scale and not difference(tensor, form).matters

    def nearest(
        self, tensor: np.ndarray, likely: set[int], matched: set[int]
    ) -> tuple[int, Difference] | None:
        """The tensor that this one should probably be: the nearest one of its size.

        Args:
            tensor: not in the index.
            likely: numbers of tensors that are preferred.
            matched: numbers of tensors that are taken only if there is no other, because another
                tensor is equal to them.

        Returns:
            The number of the nearest tensor, and how it differs from this one; None if no tensor
            has this size.
        """
        candidates = [
            (number, difference(self.tensors[number], form))
            for form in forms(tensor, self._of_size)
            for number in self._of_size[form.size]
        ]

        def distance(item: tuple[int, Difference]) -> tuple:
            number, apart = item
            return number not in likely, number in matched, apart.largest, apart.differing

        return min(candidates, key=distance, default=None)
