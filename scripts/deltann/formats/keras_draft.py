"""A Keras model that is made again, with changes."""

from collections.abc import Callable, Sequence
from typing import Any

from deltann.edits import Impossible
from deltann.formats.draft import Draft, Item
from deltann.formats.keras_build import build
from deltann.formats.keras_graph import Call, Flat
from deltann.steps import Operator


def draft(flat: Flat, operator: Callable[[Call], Operator]) -> Draft:
    """The calls of a model.

    Args:
        operator: says what a call is.
    """
    items = {
        call.name: Item(call.name, [*call.reads], call.writes, [*range(len(call.reads))], call)
        for call in flat.calls
    }
    return Draft(
        items,
        flat.input,
        flat.output,
        operator=lambda item: operator(item.native),
        joined=lambda tensor, kind: f"{tensor}_{kind}".replace(":", "_"),
        first=lambda name: name,
    )


def model(changed: Draft, before: Any) -> Any:
    """The changed model; it takes over the layers of the one before that stay as they are.

    Args:
        before: the `keras.Model` whose calls these are.

    Raises:
        Impossible: Keras has nothing for some words, or shapes don't fit.
    """
    import keras

    taken = before.inputs[0]
    start = keras.Input(batch_shape=taken.shape, dtype=taken.dtype, name=changed.input)
    tensors = {changed.input: start}
    for item in changed.order():
        inputs = [tensors[name] for name in item.reads]
        try:
            made = again(item.native, inputs) if item.words is None else _new(item, inputs)
        except (ValueError, TypeError) as error:
            raise Impossible(f"{item.name!r}: {error}") from error
        tensors |= dict(zip(item.writes, made, strict=True))
    return keras.Model(start, tensors[changed.output], name=before.name)


def again(call: Call, inputs: Sequence[Any]) -> list[Any]:
    """Make a call of the model before on other tensors; each call has a layer of its own.

    Args:
        call: its layer gets the name of the call.
        inputs: symbolic tensors in place of those that it reads.

    Returns:
        The tensors that it gives.
    """
    import keras

    operation, arguments = call.operation, call.node.arguments
    given = iter(inputs)
    symbolic = {id(tensor) for tensor in arguments.keras_tensors}
    weights = None
    if call.name == call.path and isinstance(operation, keras.Layer):
        operation.name = call.name
    else:
        weights = operation.get_weights() if isinstance(operation, keras.Layer) else None
        operation = type(operation).from_config(operation.get_config() | {"name": call.name})
    positional, named = arguments.convert(
        lambda value: next(given) if id(value) in symbolic else value
    )
    made = keras.tree.flatten(operation(*positional, **named))
    if weights:
        operation.set_weights(weights)
    return made


def _new(item: Item, inputs: list[Any]) -> list[Any]:
    """Make a call by its words; its last layer gets the name, those of others begin with it."""
    old = item.native.operation if item.native else None
    data_format = getattr(old, "data_format", None) or "channels_last"
    assert item.words is not None
    axis = getattr(old, "axis", -1) if item.words.kind == "batch_norm" else -1
    made = build(item.words, inputs, data_format, axis)
    outputs = list(made) if isinstance(made, (list, tuple)) else [made]
    ends, place = {id(tensor) for tensor in inputs}, 0
    operation = outputs[0]._keras_history.operation
    operation.name = item.name
    waiting = [*operation._inbound_nodes[-1].input_tensors]
    while waiting:
        tensor = waiting.pop(0)
        if id(tensor) not in ends:
            place += 1
            operation = tensor._keras_history.operation
            operation.name = f"{item.name}_{type(operation).__name__.lower()}{place}"
            waiting += operation._inbound_nodes[-1].input_tensors
            ends.add(id(tensor))
    return outputs
