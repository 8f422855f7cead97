"""The operators at which an edge changes a model, as facts for JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deltann import tracers
from deltann.execution.isolation import Limits
from deltann.execution.session import ToolFailed
from deltann.explain.chain import Artefact, Images
from deltann.explain.compared import storable
from deltann.images.normalise import layout, normalise
from deltann.localise import localise, losses, remote
from deltann.localise.finding import Difference, Fault, Localisation
from deltann.provenance import files
from deltann.steps import Operator

T = TypeVar("T")
Look = Callable[[remote.RemoteTracer, remote.RemoteTracer], T]
NO_TRACER = "NoTracer"
# Attributes and values with more numbers are shown by their number and checksum.
MANY = 16


def located(
    source: Artefact, target: Artefact, images: Images, limits: Limits
) -> tuple[Localisation | None, dict]:
    """Locate what an edge changed. A tool that fails is an outcome.

    Args:
        source, target: the files before and after the edge.
        images: some that show a difference.
        limits: of each session.

    Returns:
        What localisation found, or None; and the same as facts: see `facts`, or `error`, its
        `type` and `message`. Both have the `edge`.
    """
    found = _opened(
        source, target, limits, lambda a, b: localise.localise(a, b, _batches(a, images))
    )
    if isinstance(found, ToolFailed):
        return None, _edge(source, target) | failure(found)
    return found, _edge(source, target) | facts(found)


def lost(source: Artefact, target: Artefact, images: Images, limits: Limits) -> dict:
    """What the layers lose that an edge took to a lower precision, as facts.

    Args:
        source, target, images, limits: see `located`.

    Returns:
        The fields of `localise.losses.Losses`, or `error`; and the `edge`.
    """
    found = _opened(source, target, limits, lambda a, b: losses.losses(a, b, _batches(a, images)))
    if isinstance(found, ToolFailed):
        return _edge(source, target) | failure(found)
    return _edge(source, target) | value(asdict(found))


def failure(error: ToolFailed) -> dict:
    """A tool's failure as facts."""
    return {"error": {"type": error.type, "message": error.message}}


def _edge(source: Artefact, target: Artefact) -> dict:
    return {"edge": target.edge, "source": source.framework, "target": target.framework}


def _opened(source: Artefact, target: Artefact, limits: Limits, look: Look[T]) -> T | ToolFailed:
    """What a look at two traced files finds, or the failure of a tool on the way."""
    for item in (source, target):
        if item.framework not in tracers.names():
            return ToolFailed(NO_TRACER, f"the tensors of {item.framework} files can't be read")
    try:
        with (
            remote.open_tracer(source.framework, source.path, limits) as before,
            remote.open_tracer(target.framework, target.path, limits) as after,
        ):
            return look(before, after)
    except ToolFailed as error:
        return error


def _batches(tracer: remote.RemoteTracer, images: Images) -> np.ndarray:
    """The images as the source takes them: float32 (image, 1, …)."""
    order = layout(tracer.input_shape, images.convention)
    return np.stack([normalise(image, images.convention, order) for image in images.pixels])


def facts(found: Localisation) -> dict:
    """A localisation for JSON: see `localise.finding` for the words.

    Arrays are summarised: see `value`.
    """
    return {
        "outcome": found.outcome.value,
        "why": found.why,
        "difference": storable(found.difference),
        "noise": storable(found.noise),
        "matched": found.matched,
        "compared": found.compared,
        "faults": [_fault(fault) for fault in found.faults],
    }


def _fault(fault: Fault) -> dict:
    return {
        "verdict": fault.verdict.value,
        "why": fault.why,
        "source_operators": [_operator(item) for item in fault.source_operators],
        "target_operators": [_operator(item) for item in fault.target_operators],
        "agreed": [list(pair) for pair in fault.agreed],
        "behind": list(fault.behind),
        "local_error": storable(fault.local_error),
        "left": storable(fault.left),
        "differences": [_difference(item) for item in fault.differences],
        "ranked": list(fault.ranked),
    }


def _operator(operator: Operator) -> dict:
    return {
        "name": operator.name,
        "native": operator.native,
        "kind": operator.kind,
        "inputs": list(operator.inputs),
        "outputs": list(operator.outputs),
        "attributes": {name: value(item) for name, item in operator.attributes.items()},
        "parameters": {name: value(item) for name, item in operator.parameters.items()},
    }


def _difference(item: Difference) -> dict:
    return {
        "family": item.family.value,
        "what": item.what,
        "target_operator": item.target_operator,
        "source_operator": item.source_operator,
        "key": item.key,
        "source_value": value(item.source_value),
        "target_value": value(item.target_value),
        "edits": [
            {"edit": type(edit).__name__}
            | {name: value(getattr(edit, name)) for name in edit.__dataclass_fields__}
            for edit in item.edits
        ],
    }


def value(item: Any) -> Any:
    """A value for JSON.

    Returns:
        An array as its `shape`, `dtype`, `smallest` and `largest` number and the SHA-256 of its
        bytes; with few numbers also as `values`. Numbers that aren't finite as text.
    """
    if isinstance(item, np.ndarray):
        return _array(item)
    if isinstance(item, np.generic):
        return value(item.item())
    if isinstance(item, dict):
        return {str(name): value(part) for name, part in item.items()}
    if isinstance(item, Path):
        return str(item)
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        return [value(part) for part in item]
    if isinstance(item, float) and not np.isfinite(item):
        return str(item)
    return item if isinstance(item, str | int | float | bool) or item is None else str(item)


def _array(array: np.ndarray) -> dict:
    summary: dict = {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "sha256": files.checksum_bytes(np.ascontiguousarray(array).tobytes()),
    }
    if array.size and array.dtype.kind in "fiub":
        summary |= {"smallest": value(array.min()), "largest": value(array.max())}
    if array.size <= MANY:
        summary["values"] = value(array.tolist())
    return summary
