"""Proof by intervention: the source's tensor in place of the target's makes the difference go."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deltann.execution.session import ToolFailed
from deltann.localise.alignment import SAME, TO_FIRST, TO_LAST, apart, ordered, orders
from deltann.localise.frontier import Frontier
from deltann.localise.side import Side
from deltann.steps import MOVES

# How far behind the first lost operator a fault may end: so many of the target's tensors are tried,
# each against so many of the source's, and so many tensors behind are looked at.
TARGETS, SOURCES, LOOKED = 10, 6, 8
OTHER_SIZES = 2
FIRST, LAST = "NCHW", "NHWC"
BETWEEN_LAYOUTS = {
    (FIRST, FIRST): SAME,
    (LAST, LAST): SAME,
    (FIRST, LAST): TO_LAST,
    (LAST, FIRST): TO_FIRST,
}


@dataclass(frozen=True)
class Closing:
    """A pair of tensors that should agree, behind a fault.

    Attributes:
        source, target: their names.
        order: the axes of the source's tensor in the order of the target's.
        before, after: the difference of the tensors behind, without and with the source's tensor
            in place of the target's; of the output if nothing is behind.
        proved: whether the tensors behind agree then.
    """

    source: str
    target: str
    order: tuple[int, ...]
    before: float
    after: float
    proved: bool


def close(source: Side, frontier: Frontier, first: int) -> Closing | None:
    """The pair of tensors at which a fault ends: the earliest that makes the difference go.

    Args:
        source: the source's side.
        frontier: of the target, as it is now.
        first: the number of the first operator that is lost.

    Returns:
        None if no pair makes it go.
    """
    target = frontier.target
    best: Closing | None = None
    for name in _behind(target, frontier, first):
        for tensor, order in _candidates(source, frontier, name):
            closing = _try(source, frontier, name, tensor, order)
            if closing is None:
                continue
            if closing.proved:
                return closing
            if best is None or closing.after < best.after:
                best = closing
    return best


def _behind(target: Side, frontier: Frontier, first: int) -> list[str]:
    """The lost tensors at and behind an operator, the nearest first."""
    start = [name for name in target.operators[first].outputs if name in frontier.lost]
    behind = {item for name in start for item in target.behind(name)}
    found = [
        name
        for operator in target.operators[first:]
        for name in operator.outputs
        if name in start or (name in behind and name in frontier.lost)
    ]
    return found[:TARGETS] + ([target.output] if target.output not in found[:TARGETS] else [])


def _candidates(
    source: Side, frontier: Frontier, name: str
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The source's tensors that a target's tensor should perhaps be, the most likely first."""
    target = frontier.target
    if name == target.output:
        yield source.output, tuple(range(source.values(source.output).ndim - 1))
        return
    values = target.values(name)
    kind = _kind(target, name)
    taken = {match.name for match in frontier.matches.values()}
    rows = []
    for number, tensor in enumerate(frontier.index.of_size(values.size)):
        for order in _likely(source, target, tensor, values.shape[1:]):
            form = ordered(source.values(tensor), order)
            near = apart(form, values)
            rows.append(
                (
                    _kind(source, tensor) != kind,
                    tensor in taken,
                    round(1 - _correlation(form, values), 3),
                    near,
                    number,
                    tensor,
                    order,
                )
            )
    rows.sort(key=lambda row: row[:5])
    for row in rows[:SOURCES]:
        yield row[5], row[6]
    yield from _of_other_size(source, frontier, name)


def _of_other_size(
    source: Side, frontier: Frontier, name: str
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Tensors of another size by operators of the same kind: padding or strides may be wrong."""
    target = frontier.target
    shape, kind = target.values(name).shape[1:], _kind(target, name)
    taken = {match.name for match in frontier.matches.values()}
    found = 0
    for tensor in source.tensors:
        own = source.values(tensor).shape[1:]
        if tensor in taken or _kind(source, tensor) != kind or len(own) != len(shape):
            continue
        if np.prod(own) == np.prod(shape) or len(own) != 4 or found >= OTHER_SIZES:
            continue
        found += 1
        yield tensor, BETWEEN_LAYOUTS[source.layout, target.layout]


def _likely(
    source: Side, target: Side, tensor: str, shape: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """The orders of axes that the two formats' layouts speak for; others if there are none."""
    own = source.values(tensor).shape[1:]
    found = orders(own, shape if len(own) == len(shape) == 4 else None)
    if len(own) == 4 and len(shape) == 4 and len(found) > 1 and source.layout != target.layout:
        return [order for order in found if order != tuple(range(4))] or found
    return found[:1] if source.layout == target.layout else found


def _kind(side: Side, tensor: str) -> str:
    """The kind of the operator that writes a tensor, its activation if it has one."""
    number = side.producer.get(tensor)
    if number is None:
        return ""
    operator = side.operators[number]
    return operator.activation.get("kind", operator.kind)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    a, b = np.ravel(one).astype(np.float64), np.ravel(other).astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or a.size < 2:
        return -1.0
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _try(
    source: Side, frontier: Frontier, name: str, tensor: str, order: tuple[int, ...]
) -> Closing | None:
    """Feed the source's tensor into the target, and look whether what is behind agrees."""
    target = frontier.target
    values = ordered(source.values(tensor), order)
    if name == target.output:
        difference = apart(values, target.values(name))
        return Closing(tensor, name, order, difference, 0.0, True)
    form = shaped(values, target.values(name))
    looked = _looked_at(target, frontier, name)
    try:
        found = target.run([*looked, target.output], {name: form})
    except ToolFailed:
        return None
    output = apart(source.values(source.output), found[target.output].astype(np.float32))
    before = apart(source.values(source.output), target.values(target.output))
    agree = [item for item in looked if frontier.index.find(found[item].astype(np.float32))]
    tolerance = frontier.index.tolerance[source.output]
    proved = output <= tolerance or (
        bool(looked) and _computed(target, agree) and len(agree) * 2 > len(looked)
    )
    return Closing(tensor, name, order, before, output, proved)


def shaped(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Values in the shape of a tensor of as many; of another number in their own."""
    return np.ascontiguousarray(values.reshape(like.shape) if values.size == like.size else values)


def _looked_at(target: Side, frontier: Frontier, name: str) -> list[str]:
    """Lost tensors behind a tensor that depend on no other lost one."""
    found, known = [], {name}
    for operator in target.operators:
        if not known.intersection(operator.inputs):
            continue
        if all(read in known or frontier.agrees(read) for read in operator.inputs):
            for output in operator.outputs:
                known.add(output)
                if target.knows(output):
                    found.append(output)
        if len(found) >= LOOKED:
            break
    return found


def _computed(target: Side, tensors: list[str]) -> bool:
    """Whether one of these tensors is computed, not only moved."""
    return any(target.operators[target.producer[name]].kind not in MOVES for name in tensors)
