"""A Keras model that is being changed: its calls, made again one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from deltann.edits import Bypass, Impossible, Insert, Reconnect
from deltann.formats.keras_build import build
from deltann.formats.keras_graph import Call, Flat
from deltann.formats.words import Words


@dataclass
class Item:
    """A call to make.

    Attributes:
        name: what its last layer is to be called.
        reads, writes: the names of tensors.
        call: of the model before; None for a new one.
        words: what it is to be; None if it stays what it was.
    """

    name: str
    reads: list[str]
    writes: tuple[str, ...]
    call: Call | None = None
    words: Words | None = None


@dataclass
class Draft:
    """The calls of a model, and the tensor of its logits."""

    flat: Flat
    items: dict[str, Item] = field(default_factory=dict)
    output: str = ""

    def __post_init__(self) -> None:
        self.output = self.flat.output
        for call in self.flat.calls:
            self.items[call.name] = Item(call.name, [*call.reads], call.writes, call)

    def item(self, name: str) -> Item:
        """A call.

        Raises:
            Impossible: there is none of that name.
        """
        if name not in self.items:
            raise Impossible(f"there is no operator {name!r}")
        return self.items[name]

    def check(self, name: str) -> str:
        """A tensor's name.

        Raises:
            Impossible: there is none of that name.
        """
        writers = (item for item in self.items.values() if name in item.writes)
        if name != self.flat.input and not any(writers):
            raise Impossible(f"there is no tensor {name!r}")
        return name

    def insert(self, edit: Insert) -> None:
        """Put a new call behind a tensor."""
        behind = self.check(edit.behind)
        name = f"{behind}_{edit.kind}".replace(":", "_")
        while name in self.items:
            name += "_"
        readers = [*self.items.values()]
        reads = [behind, *map(self.check, edit.inputs)]
        words = Words(edit.kind, dict(edit.attributes), dict(edit.parameters))
        self.items[name] = Item(name, reads, (name,), words=words)
        self._redirect(readers, behind, name)

    def bypass(self, edit: Bypass) -> None:
        """Have whoever reads a call's tensors read its first input."""
        item = self.item(edit.operator)
        for tensor in item.writes:
            self._redirect([*self.items.values()], tensor, item.reads[0])

    def reconnect(self, edit: Reconnect) -> None:
        """Have a call read another tensor."""
        item = self.item(edit.operator)
        if not 0 <= edit.position < len(item.reads):
            raise Impossible(f"{edit.operator!r} has no input {edit.position}")
        item.reads[edit.position] = self.check(edit.tensor)

    def _redirect(self, readers: list[Item], old: str, new: str) -> None:
        for item in readers:
            item.reads = [new if name == old else name for name in item.reads]
        self.output = new if self.output == old else self.output

    def model(self, before: Any) -> Any:
        """The changed model; it takes over the layers of the one before that stay as they are.

        Args:
            before: the `keras.Model` whose calls these are.
        """
        import keras

        taken = before.inputs[0]
        start = keras.Input(
            batch_shape=taken.shape, dtype=taken.dtype, name=self.flat.input, sparse=taken.sparse
        )
        tensors = {self.flat.input: start}
        renamed: set[int] = set()
        for item in self._order():
            inputs = [tensors[name] for name in item.reads]
            made = _again(item, inputs, renamed) if item.words is None else _new(item, inputs)
            tensors |= dict(zip(item.writes, made, strict=True))
        return keras.Model(start, tensors[self.output], name=before.name)

    def _order(self) -> list[Item]:
        """The calls that the output needs, each behind those that it reads."""
        writers = {name: item for item in self.items.values() for name in item.writes}
        graph, waiting = {}, [writers[self.output].name] if self.output in writers else []
        while waiting:
            name = waiting.pop()
            if name not in graph:
                reads = [writers[item].name for item in self.items[name].reads if item in writers]
                graph[name] = reads
                waiting += reads
        try:
            found = set(graph)
            order = {name: graph[name] for name in self.items if name in found}
            return [self.items[name] for name in TopologicalSorter(order).static_order()]
        except CycleError as error:
            raise Impossible(f"the edits make a circle: {error}") from error


def _again(item: Item, inputs: Sequence[Any], renamed: set[int]) -> list[Any]:
    """Make a call of the model before on other tensors."""
    import keras

    call = item.call
    assert call is not None
    operation, given = call.operation, iter(inputs)
    symbolic = {id(tensor) for tensor in call.node.arguments.keras_tensors}
    if not isinstance(operation, keras.Layer):
        settings = operation.get_config() | {"name": item.name}
        operation = type(operation).from_config(settings)
    elif id(operation) not in renamed:
        operation.name = item.name
        renamed.add(id(operation))
    arguments, settings = call.node.arguments.convert(
        lambda value: next(given) if id(value) in symbolic else value
    )
    return keras.tree.flatten(operation(*arguments, **settings))


def _new(item: Item, inputs: list[Any]) -> list[Any]:
    """Make a call by its words; its last layer gets the name, others begin with it."""
    assert item.words is not None
    old = item.call.operation if item.call else None
    data_format = getattr(old, "data_format", None) or "channels_last"
    axis = getattr(old, "axis", -1) if item.words.kind == "batch_norm" else -1
    try:
        made = build(item.words, inputs, data_format, axis)
    except (ValueError, TypeError) as error:
        raise Impossible(f"{item.name!r}: {error}") from error
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
