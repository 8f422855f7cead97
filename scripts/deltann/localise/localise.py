"""Locate the operators at which a converted model leaves its source.

The tensors of both models are matched by what they hold (`alignment`). The first of the target's
operators whose result the source has nowhere begins a fault (`frontier`). The source's tensor, fed
into the target behind it, must make the difference go (`intervention`): there the fault ends, and
the next one is looked for. What differs within it is compared last (`comparison`).
"""

import tempfile
from pathlib import Path

import numpy as np

from deltann.errors import StudyError
from deltann.localise.alignment import Index, apart, movements, ordered
from deltann.localise.comparison import Segments, compare
from deltann.localise.finding import (
    Difference,
    Family,
    Fault,
    Localisation,
    Outcome,
    Verdict,
)
from deltann.localise.frontier import Frontier, between
from deltann.localise.intervention import Closing, close, shaped
from deltann.localise.remote import RemoteTracer
from deltann.localise.side import Side
from deltann.steps import Operator

# So many faults, one after the other.
MOST_FAULTS = 8
# Of more images nothing more is learnt.
IMAGES = 2
TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


def localise(source: RemoteTracer, target: RemoteTracer, images: np.ndarray) -> Localisation:
    """Find the faults between two models.

    Args:
        source: the model before a conversion, entered.
        target: the one behind it, likewise.
        images: float32 (image, 1, …), channels first or last; the first `IMAGES` are used.

    Raises:
        ToolFailed: a model doesn't run.
        StudyError: the models take images of different sizes.
    """
    images = np.asarray(images, np.float32)[:IMAGES]
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        one = Side(source, fitted(images, source.input_shape), Path(folder) / "source")
        other = Side(target, fitted(images, target.input_shape), Path(folder) / "target")
        one.capture(one.tensors)
        moved = movements(one)
        index = Index(one, moved)
        other.capture(other.tensors)
        frontier = Frontier(other, index)
        difference = apart(one.values(one.output), other.values(other.output))
        tolerance = index.tolerance[one.output]
        if difference <= tolerance:
            frontier.look()
            why = "the outputs are the same up to rounding"
            return Localisation(Outcome.SAME, why, difference, tolerance, *frontier.matched())
        if one.values(one.output).size != other.values(other.output).size:
            return _other_output(one, frontier, tolerance)
        return _search(one, frontier, difference, tolerance)


def _other_output(source: Side, frontier: Frontier, tolerance: float) -> Localisation:
    """The finding if the target's output isn't even as large as the source's."""
    target = frontier.target
    frontier.look()
    found = [name for name, match in frontier.matches.items() if match.name == source.output]
    shapes = target.values(target.output).shape[1:], source.values(source.output).shape[1:]
    what = f"the output has the shape {shapes[0]}, not {shapes[1]}"
    if not found:
        what += "; no tensor is the source's output"
        return Localisation(Outcome.ABSTAINED, what, np.inf, tolerance, *frontier.matched())
    what += f"; {found[0]} is the source's output"
    writers = [target.operators[target.producer[name]] for name in (target.output, found[0])]
    difference = Difference(Family.GRAPH, what, writers[0].name, key="output")
    agreed, ranked = ((source.output, found[0]),), tuple(item.name for item in writers)
    operators = (source.operators[source.producer[source.output]],), tuple(writers)
    why = "the source's output is another tensor of the model"
    fault = Fault(
        Verdict.LOCATED, why, *operators, agreed, agreed[0], np.inf, 0.0, (difference,), ranked
    )
    return Localisation(Outcome.FOUND, why, np.inf, tolerance, *frontier.matched(), (fault,))


def fitted(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Images in the layout that a model takes.

    Args:
        images: (image, 1, …), channels first or last.
        shape: of the model's input.

    Raises:
        StudyError: the shape is another one in both layouts.
    """
    for order in ((0, 1, 2, 3), TO_LAST, TO_FIRST):
        if images.ndim == 5 and tuple(images.shape[1:][axis] for axis in order) == tuple(shape):
            return np.ascontiguousarray(ordered(images, order))
    raise StudyError(
        f"one model takes images of shape {images.shape[1:]}, the other one of {tuple(shape)};"
        " expected the same size"
    )


def _search(source: Side, frontier: Frontier, difference: float, tolerance: float) -> Localisation:
    target = frontier.target
    faults: list[Fault] = []
    coverage = (0, 0)
    for _ in range(MOST_FAULTS):
        frontier.look()
        coverage = coverage if faults else frontier.matched()
        left = apart(source.values(source.output), target.values(target.output))
        first = frontier.first_lost()
        if left <= tolerance or first is None:
            break
        closing = close(source, frontier, first)
        if closing is None:
            why = "behind the last tensors that agree, no tensor of the source fits the model"
            return _ended(faults, why, difference, tolerance, coverage, Outcome.ABSTAINED)
        fault = _fault(source, frontier, closing)
        if fault is not None:
            faults.append(fault)
        if closing.target == target.output:
            break
        form = ordered(source.values(closing.source), closing.order)
        target.replace(closing.target, shaped(form, target.values(closing.target)))
    left = apart(source.values(source.output), target.values(target.output))
    at_output = bool(faults) and faults[-1].behind[1] == target.output
    if left <= tolerance or at_output:
        why = "the source's tensors behind these operators make the outputs the same"
        return _ended(faults, why, difference, tolerance, coverage, Outcome.FOUND)
    why = "with the source's tensors behind these operators, a part of the difference is left"
    return _ended(faults, why, difference, tolerance, coverage, Outcome.PARTLY)


def _ended(
    faults: list[Fault],
    why: str,
    difference: float,
    tolerance: float,
    coverage: tuple[int, int],
    outcome: Outcome,
) -> Localisation:
    if outcome == Outcome.ABSTAINED and faults:
        outcome = Outcome.PARTLY
    if not faults and outcome != Outcome.ABSTAINED:
        outcome, why = Outcome.ABSTAINED, "no operator adds more than rounding by itself"
    return Localisation(outcome, why, difference, tolerance, *coverage, tuple(faults))


def _fault(source: Side, frontier: Frontier, closing: Closing) -> Fault | None:
    """The fault that ends at a pair of tensors; None if the segment adds no more than rounding."""
    target = frontier.target
    operators, ends = between(target, frontier.passed, closing.target)
    pairs = {}
    for name in ends:
        match = frontier.matches.get(name)
        if name == target.input:
            pairs[name] = (source.input, _order(source, target))
        elif match:
            pairs[name] = (match.name, match.order)
    inputs = {match.name: name for name, match in reversed(frontier.matches.items())}
    inputs |= {pair[0]: name for name, pair in pairs.items()}
    segment: list[Operator] = []
    if closing.source not in {pair[0] for pair in pairs.values()}:  # else nothing is to be done
        segment, _ = between(source, lambda name: name in inputs, closing.source)
    local = _local_error(source, frontier, closing, pairs)
    if local <= frontier.index.tolerance[closing.source]:
        return None
    segments = Segments(
        tuple(segment),
        tuple(operators),
        source.layout == target.layout,
        inputs,
        lambda name: len(target.readers.get(name, [])) <= 1,
        frontier.same,
        target.input,
    )
    differences = compare(segments)
    verdict = Verdict.LOCATED if closing.proved else Verdict.SUSPECTED
    return Fault(
        verdict,
        _why(closing, local),
        segments.source,
        segments.target,
        tuple((pair[0], name) for name, pair in pairs.items()),
        (closing.source, closing.target),
        local,
        closing.after,
        tuple(differences),
        _ranked(operators, differences),
        {name: inputs[name] for item in segment for name in item.inputs if name in inputs},
    )


def _order(source: Side, target: Side) -> tuple[int, ...]:
    one, other = source.images.shape[1:], target.images.shape[1:]
    given = ((0, 1, 2, 3), TO_LAST, TO_FIRST)
    return next(item for item in given if tuple(one[axis] for axis in item) == tuple(other))


def _local_error(
    source: Side, frontier: Frontier, closing: Closing, pairs: dict[str, tuple[str, tuple]]
) -> float:
    """The difference at the end of a segment that is fed with the source's own tensors."""
    target = frontier.target
    fed = {
        name: ordered(source.values(tensor), order).reshape(target.values(name).shape)
        for name, (tensor, order) in pairs.items()
        if name != target.input and name not in target.replaced
    }
    found = target.run([closing.target], fed)[closing.target]
    form = ordered(source.values(closing.source), closing.order)
    return apart(form, found.astype(np.float32)) if form.size == found.size else np.inf


def _why(closing: Closing, local: float) -> str:
    if closing.before and closing.after == 0.0:
        return f"its inputs agree, and its result differs by {local:.2g} of the largest value"
    return (
        "with the source's tensor behind it, the output's difference goes from"
        f" {closing.before:.2g} to {closing.after:.2g}; by itself it adds {local:.2g}"
    )


def _ranked(operators: list[Operator], differences: list[Difference]) -> tuple[str, ...]:
    named = [item.target_operator for item in differences if item.target_operator]
    known = {operator.name for operator in operators}
    rest = [operator.name for operator in operators]
    return tuple(dict.fromkeys([name for name in named if name in known] + named + rest))
