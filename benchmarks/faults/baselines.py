"""Simpler ways to find the operator, reimplemented for comparison. None is its authors' program.

- `topological`: the operators in running order, as a debugger steps through them.
- `first_divergence`: tensors paired by order and shape, the first one beyond a fixed tolerance, as
  tools do that compare all outputs.
- `convolutions`: convolutions paired by order, ranked by the share of elements that a
  Kruskal-Wallis test over images tells apart, after FetaFix (Louloudakis et al.).
- `single_pass`: the tensor that is worst, of all that are paired by order and shape.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltann.localise import localise
from deltann.localise.remote import RemoteTracer
from deltann.steps import Operator

TOLERANCE, LEVEL = 1e-3, 0.05
# Elements of a tensor that are tested, and the images.
ELEMENTS, IMAGES = 300, 10


@dataclass
class Captured:
    """A model's operators in running order, and their results on some images, NCHW."""

    operators: list[Operator]
    values: dict[str, np.ndarray]
    output: str


def capture(model: RemoteTracer, images: np.ndarray) -> Captured:
    """Run a model on images, and keep all of its tensors.

    Args:
        model: entered.
        images: float32 (image, 1, …).
    """
    operators = model.operators()
    names = list(dict.fromkeys(item.outputs[0] for item in operators))
    fitted = localise.fitted(images[:IMAGES], model.input_shape)
    runs = [model.run(image, [*names, model.output]) for image in fitted]
    last = model.layout == "NHWC"
    values = {}
    for name in [*names, model.output]:
        rows = [np.asarray(run[name], np.float32) for run in runs]
        moved = [row.transpose(0, 3, 1, 2) if last and row.ndim == 4 else row for row in rows]
        values[name] = np.stack(moved)
    return Captured(operators, values, model.output)


def _pairs(source: Captured, target: Captured) -> list[tuple[Operator, np.ndarray, np.ndarray]]:
    """The target's operators with their results and the source's next of the same shape."""
    found, place = [], 0
    for item in target.operators:
        ours = target.values[item.outputs[0]]
        for later in range(place, len(source.operators)):
            theirs = source.values[source.operators[later].outputs[0]]
            if theirs.shape == ours.shape:
                found.append((item, ours, theirs))
                place = later + 1
                break
    return found


def _topological(source: Captured, target: Captured) -> list[str]:
    one, other = source.values[source.output], target.values[target.output]
    if one.size == other.size and np.allclose(one.ravel(), other.ravel(), TOLERANCE, TOLERANCE):
        return []
    return [item.name for item in target.operators]


def _first_divergence(source: Captured, target: Captured) -> list[str]:
    for item, ours, theirs in _pairs(source, target):
        if not np.allclose(ours, theirs, TOLERANCE, TOLERANCE):
            names = [operator.name for operator in target.operators]
            return names[names.index(item.name) :]
    return []


def _single_pass(source: Captured, target: Captured) -> list[str]:
    found = []
    for item, ours, theirs in _pairs(source, target):
        error = float(np.abs(ours - theirs).max() / (np.abs(theirs).max() or 1.0))
        if not error <= TOLERANCE:
            found.append((-error, len(found), item.name))
    return [name for _, _, name in sorted(found)]


def _convolutions(source: Captured, target: Captured) -> list[str]:
    ours, theirs = (
        [item for item in side.operators if item.kind == "convolution"] for side in (source, target)
    )
    ranked = []
    for place, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        a, b = source.values[one.outputs[0]], target.values[other.outputs[0]]
        share = _told_apart(a.reshape(len(a), -1), b.reshape(len(b), -1))
        if share > 0:
            ranked.append((-share, place, other.name))
    return [name for _, _, name in sorted(ranked)]


def _told_apart(one: np.ndarray, other: np.ndarray) -> float:
    """The share of elements whose values over the images differ by a Kruskal-Wallis test.

    Args:
        one, other: (image, element); an element that only one has counts as different.
    """
    from scipy import stats

    if one.shape != other.shape:
        return 1.0
    places = np.random.default_rng(0).permutation(one.shape[1])[:ELEMENTS]
    one, other = one[:, places], other[:, places]
    varied = np.ptp(np.concatenate([one, other]), axis=0) > 0
    if not varied.any():
        return 0.0
    p = stats.kruskal(one[:, varied], other[:, varied], axis=0).pvalue
    return float((p < LEVEL).sum() / len(places))


BASELINES: dict[str, Callable[[Captured, Captured], list[str]]] = {
    "topological": _topological,
    "first_divergence": _first_divergence,
    "convolutions": _convolutions,
    "single_pass": _single_pass,
}


def run(source: Captured, target: Captured) -> dict[str, Any]:
    """What each baseline ranks: names of the target's operators, none if it sees no fault."""
    return {name: baseline(source, target)[:50] for name, baseline in BASELINES.items()}
