"""A functional Keras model as a flat list of calls, without its sub-models."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Call:
    """A layer's, or an operation's, call on some tensors.

    Attributes:
        name: the layer's, behind those of the sub-models that it is in, with dots between them;
            with a number if the layer is called again.
        path: the name without the number.
        operation: `keras.Operation`; a layer is one.
        node: Keras's record of the call; its arguments are symbolic tensors and constants.
        sources: the names of the symbolic tensors among the arguments, by their `id`.
        writes: the names of the tensors that it gives: the name of the call if there is one.
    """

    name: str
    path: str
    operation: Any
    node: Any
    sources: dict[int, str]
    writes: tuple[str, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the tensors that it reads, in their order."""
        return tuple(self.sources[id(item)] for item in self.node.arguments.keras_tensors)

    def arguments(self, value: Callable[[str], Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments with values in place of the symbolic tensors.

        Args:
            value: gives that of a tensor by its name.
        """

        def fill(item: Any) -> Any:
            return value(self.sources[id(item)]) if id(item) in self.sources else item

        return self.node.arguments.convert(fill)


@dataclass(frozen=True)
class Flat:
    """A model without its sub-models.

    Attributes:
        calls: those that the output needs, each behind those that it reads.
        input, output: names of tensors.
    """

    calls: list[Call]
    input: str
    output: str


def flatten(model: Any) -> Flat:
    """Find all calls of a Keras model with one input and one output.

    Args:
        model: `keras.Model`, functional or sequential.

    Raises:
        ValueError: it is neither, or has several inputs or outputs.
    """
    model = _functional(model)
    if model is None or len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError("expected a functional Keras model with one input and one output")
    calls: list[Call] = []
    start = model.inputs[0]._keras_history.operation.name
    (output,) = _walk(model, [start], "", calls, Counter([start]))
    needed, kept = {output}, []
    for call in reversed(calls):
        if needed & {*call.writes}:
            needed.update(call.reads)
            kept.append(call)
    return Flat(kept[::-1], start, output)


def _functional(operation: Any) -> Any:
    """The graph of a functional or sequential model; None for other operations."""
    import keras
    from keras.src.models.functional import Functional

    if isinstance(operation, keras.Sequential):
        return operation._functional
    return operation if isinstance(operation, Functional) else None


def _walk(
    model: Any, given: Sequence[str], prefix: str, calls: list[Call], used: Counter[str]
) -> list[str]:
    """Append a model's calls.

    Args:
        model: the functional model.
        given: the names of the tensors in place of its inputs.
        prefix: what its layers' names begin with.
        used: how many calls have a name.

    Returns:
        The names of its outputs.
    """
    names = {id(item): name for item, name in zip(model.inputs, given, strict=True)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            read = {id(item): names[id(item)] for item in node.arguments.keras_tensors}
            if node.is_input:
                continue
            inner = _functional(node.operation)
            path = prefix + node.operation.name
            if inner is not None:
                found = _walk(inner, [*read.values()], f"{path}.", calls, used)
            else:
                name = f"{path}_call{used[path]}" if used[path] else path
                used[path] += 1
                found = [name] if len(node.outputs) == 1 else _several(name, node)
                calls.append(Call(name, path, node.operation, node, read, tuple(found)))
            names |= {id(item): name for item, name in zip(node.outputs, found, strict=True)}
    return [names[id(item)] for item in model.outputs]


def _several(name: str, node: Any) -> list[str]:
    return [f"{name}:{index}" for index in range(len(node.outputs))]


def compute(call: Call, value: Callable[[str], Any]) -> list[Any]:
    """Do one call, as for prediction.

    Args:
        value: gives the tensors that it reads: numbers or symbolic ones.
    """
    import keras

    arguments, settings = call.arguments(value)
    if isinstance(call.operation, keras.Layer):
        # as `predict` does, whatever the file says of training
        settings |= {"training": False} if "training" in call.operation._call_context_args else {}
    return keras.tree.flatten(call.operation(*arguments, **settings))


def run(
    flat: Flat,
    image: "np.ndarray",
    wanted: Collection[str],
    replaced: "Mapping[str, np.ndarray]",
) -> "dict[str, np.ndarray]":
    """See `steps.Tracer`: what isn't needed any more is freed."""
    from keras import ops

    calls = _needed(flat, wanted, replaced)
    uses = Counter(name for call in calls for name in call.reads)
    values = {flat.input: ops.convert_to_tensor(image)}
    values |= {name: ops.convert_to_tensor(array) for name, array in replaced.items()}
    found = {name: ops.convert_to_numpy(values[name]) for name in {*wanted} & values.keys()}
    for call in calls:
        results = compute(call, values.__getitem__)
        for name, result in zip(call.writes, results, strict=True):
            if name not in replaced:
                if name in wanted:
                    found[name] = ops.convert_to_numpy(result)
                if uses[name]:
                    values[name] = result
        for name in call.reads:
            uses[name] -= 1
            if not uses[name]:
                values.pop(name, None)
    return found


def _needed(flat: Flat, wanted: Collection[str], replaced: Collection[str]) -> list[Call]:
    """The calls that the wanted tensors need, in running order.

    Raises:
        KeyError: the model has no tensor of a wanted name.
    """
    known = {flat.input, *(name for call in flat.calls for name in call.writes)}
    if unknown := {*wanted, *replaced} - known:
        raise KeyError(f"no tensors {', '.join(sorted(unknown))}")
    tensors, found = {*wanted} - {*replaced}, []
    for call in reversed(flat.calls):
        if tensors & {*call.writes}:
            found.append(call)
            tensors.update({*call.reads} - {*replaced})
    return found[::-1]
