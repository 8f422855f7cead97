"""What the layers of a lowered model lose, and which of them, kept in float32, bring labels back.

A layer is a convolution or a dense layer; the source's one is that with the same weights. What it
loses is measured by itself, fed with the source's tensors: the signal to quantization noise ratio.
Keeping a layer in float32 is tried: the source's layer computes with the lowered model's inputs,
and the lowered model goes on with its result.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann.localise.alignment import ordered, orders
from deltann.localise.canonical import SILENT
from deltann.localise.localise import fitted
from deltann.localise.remote import RemoteTracer
from deltann.localise.side import Side
from deltann.steps import Operator

LAYERS = ("convolution", "transposed_convolution", "dense")
# Weights of eight bits are as much like those of float32; other layers' are unlike.
ALIKE, RESULT_ALIKE = 0.95, 0.5
# How far behind a layer its result is looked for: behind its bias and its activation.
BEHIND = 4
# So many layers are kept in float32 at most.
MOST_KEPT = 8
PERFECT = 150.0  # decibels; float32 has no more


@dataclass(frozen=True)
class Pair:
    """A layer of both models.

    Attributes:
        source, target: the operators.
        read: the tensors that they read, (source, target).
        written: their results, (source, target): behind bias and activation, where one has them
            apart.
        order: the axes of the source's result in the order of the target's.
    """

    source: Operator
    target: Operator
    read: tuple[str, str]
    written: tuple[str, str]
    order: tuple[int, ...]


@dataclass(frozen=True)
class Loss:
    """What one layer loses.

    Attributes:
        source, target: names of the operators.
        local: signal to quantization noise ratio of its result, in decibels, if it is fed with the
            source's tensor.
        whole: the same in the model as it is, with what the layers before it lost.
    """

    source: str
    target: str
    local: float
    whole: float


@dataclass(frozen=True)
class Losses:
    """The layers of a lowered model by what they lose.

    Attributes:
        layers: those with most loss of their own first.
        paired, weighted: how many of the target's layers have a source's, of how many.
        changed: how many of the images have another label than the source gives.
        kept: names of the target's layers that, kept in float32, bring these labels back; empty if
            at most `MOST_KEPT` don't.
        left: how many labels are still changed then; with `MOST_KEPT` layers if none is kept.
        tried: how many layers were kept in each trial, and how many labels were still changed.
    """

    layers: tuple[Loss, ...]
    paired: int
    weighted: int
    changed: int
    kept: tuple[str, ...]
    left: int
    tried: tuple[tuple[int, int], ...]


def losses(source: RemoteTracer, target: RemoteTracer, images: np.ndarray) -> Losses:
    """Rank a lowered model's layers, and look for the few that bring labels back.

    Args:
        source: the model before it was lowered, entered.
        target: the lowered one, likewise.
        images: float32 (image, 1, …), channels first or last: those with changed labels.

    Raises:
        ToolFailed: a model doesn't run.
        StudyError: the models take images of different sizes.
    """
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        given = fitted(np.asarray(images, np.float32), source.input_shape)
        one = Side(source, given, Path(folder) / "source")
        other = Side(target, fitted(one.images, target.input_shape), Path(folder) / "target")
        one.capture(one.tensors)
        other.capture(other.tensors)
        pairs = _pairs(one, other)
        layers = sorted((_loss(one, other, pair) for pair in pairs), key=lambda item: item.local)
        weighted = len([item for item in other.operators if item.kind in LAYERS])
        expected = _labels(one.values(one.output))
        changed = int((_labels(other.values(other.output)) != expected).sum())
        by_name = {pair.target.name: pair for pair in pairs}
        ranked = [by_name[item.target] for item in layers]
        kept, left, tried = _keep(one, other, ranked, expected, changed)
    return Losses(tuple(layers), len(pairs), weighted, changed, kept, left, tried)


def _labels(logits: np.ndarray) -> np.ndarray:
    return logits.reshape(len(logits), -1).argmax(axis=1)


def _pairs(source: Side, target: Side) -> list[Pair]:
    """Each layer of the target with that of the source that has its weights."""
    left = [
        item for item in source.operators if item.kind in LAYERS and "weight" in item.parameters
    ]
    found = []
    for operator in target.operators:
        if not _weighted(operator):
            continue
        weight = operator.parameters["weight"]
        same = [item for item in left if item.parameters["weight"].size == weight.size]
        best = max(same, key=lambda item: _alike(item.parameters["weight"], weight), default=None)
        if best is None or _alike(best.parameters["weight"], weight) < ALIKE:
            continue
        left.remove(best)
        written, read = (
            _written(source, target, best, operator),
            _read(source, target, best, operator),
        )
        if written and read:
            found.append(Pair(best, operator, read, written[:2], written[2]))
    return found


def _weighted(operator: Operator) -> bool:
    return operator.kind in LAYERS and "weight" in operator.parameters


def _read(source: Side, target: Side, one: Operator, other: Operator) -> tuple[str, str] | None:
    """The tensors that two layers read, or those before a padding that one model has apart."""
    for second in _before(target, other):
        for first in _before(source, one):
            if _orders(source.values(first), target.values(second)):
                return first, second
    return None


def _before(side: Side, operator: Operator) -> list[str]:
    """What an operator reads, and what is before that while nothing but places changes."""
    names = [operator.inputs[0]]
    while names[-1] in side.producer and len(names) < BEHIND:
        producer = side.operators[side.producer[names[-1]]]
        if producer.kind not in (*SILENT, "pad", "quantize", "dequantize"):
            break
        names.append(producer.inputs[0])
    return [name for name in names if side.knows(name)]


def _orders(values: np.ndarray, like: np.ndarray) -> list[tuple[int, ...]]:
    """The orders of axes in which values of one model may be a tensor of the other."""
    if values.size != like.size:
        return []
    same_rank = values.ndim == like.ndim == 5
    return orders(values.shape[1:], like.shape[1:] if same_rank else None)


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of as many numbers."""
    a, b = np.ravel(one).astype(np.float64), np.ravel(other).astype(np.float64)
    if a.size == 1:
        return 1.0
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _written(
    source: Side, target: Side, one: Operator, other: Operator
) -> tuple[str, str, tuple[int, ...]] | None:
    """The pair of results behind two layers that are most alike, and the order of axes."""
    result = other.outputs[0]
    values = target.values(result)
    best, found = RESULT_ALIKE, None
    for name in _chain(source, one):
        own = source.values(name)
        for order in _orders(own, values):
            alike = _alike(ordered(own, order), values)
            if alike > best:
                best, found = alike, (name, result, order)
    return found


def _chain(side: Side, operator: Operator) -> list[str]:
    """The results of an operator and of those behind it, while one alone reads each."""
    names = [operator.outputs[0]]
    while len(names) < BEHIND:
        readers = side.readers.get(names[-1], [])
        if len(readers) != 1 or side.operators[readers[0]].kind in LAYERS:
            break
        names.append(side.operators[readers[0]].outputs[0])
    return names


def _loss(source: Side, target: Side, pair: Pair) -> Loss:
    given = source.values(pair.read[0])
    fed = _as_read(given, target.values(pair.read[1]))
    signal = ordered(source.values(pair.written[0]), pair.order)
    local = target.run([pair.written[1]], {pair.read[1]: fed})[pair.written[1]]
    whole = target.values(pair.written[1])
    names = pair.source.name, pair.target.name
    return Loss(*names, _decibels(signal, local), _decibels(signal, whole))


def _as_read(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Values in the order of axes in which a tensor of the other model has them."""
    best = max(_orders(values, like), key=lambda order: _alike(ordered(values, order), like))
    return np.ascontiguousarray(ordered(values, best)).reshape(like.shape)


def _decibels(signal: np.ndarray, lowered: np.ndarray) -> float:
    """Signal to quantization noise ratio: 10 log10(sum of signal² / sum of noise²)."""
    a, b = np.ravel(signal).astype(np.float64), np.ravel(lowered).astype(np.float64)
    power, noise = float(a @ a), float((a - b) @ (a - b))
    if not np.isfinite(noise):
        return -np.inf
    if noise == 0 or power == 0:
        return PERFECT if noise == 0 else -PERFECT
    return float(np.clip(10 * np.log10(power / noise), -PERFECT, PERFECT))


def _keep(
    source: Side, target: Side, ranked: Sequence[Pair], expected: np.ndarray, changed: int
) -> tuple[tuple[str, ...], int, tuple[tuple[int, int], ...]]:
    """The fewest layers that bring the labels back, as a search finds them; see `Losses`."""
    tried: list[tuple[int, int]] = []

    def left(kept: Sequence[Pair]) -> int:
        wrong = int((_labels(_mixed(source, target, kept)) != expected).sum())
        tried.append((len(kept), wrong))
        return wrong

    if not changed:
        return (), 0, ()
    count, wrong = 1, changed
    while count <= min(MOST_KEPT, len(ranked)):
        wrong = left(ranked[:count])
        if not wrong:
            break
        count *= 2
    if wrong:
        return (), wrong, tuple(tried)
    kept = list(ranked[:count])
    for pair in list(kept):  # a layer that makes no difference isn't kept
        rest = [item for item in kept if item is not pair]
        if rest and not left(rest):
            kept = rest
    return tuple(pair.target.name for pair in kept), 0, tuple(tried)


def _mixed(source: Side, target: Side, kept: Sequence[Pair]) -> np.ndarray:
    """The lowered model's output with some layers computed by the source."""
    numbers = {item.name: number for number, item in enumerate(target.operators)}
    fed: dict[str, np.ndarray] = {}
    for pair in sorted(kept, key=lambda item: numbers[item.target.name]):
        read = target.run([pair.read[1]], fed)[pair.read[1]]
        given = _as_read(read, source.values(pair.read[0]))
        written = source.run([pair.written[0]], {pair.read[0]: given})[pair.written[0]]
        form = np.ascontiguousarray(ordered(written, pair.order))
        fed[pair.written[1]] = form.reshape(target.values(pair.written[1]).shape)
    return target.run([target.output], fed)[target.output]
