"""A model as a list of calls that edits change, before it is made again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from deltann.edits import (
    Bypass,
    Edit,
    Impossible,
    Insert,
    Reconnect,
    Replace,
    SetAttribute,
    SetParameter,
)
from deltann.formats import words
from deltann.formats.words import Words
from deltann.steps import Operator


@dataclass
class Item:
    """One call.

    Attributes:
        name: of the call.
        reads, writes: the names of tensors.
        moving: the places among `reads` of the operator's inputs.
        native: what the format has for it; None for a new one.
        words: what it is to be; None if it stays what it was.
    """

    name: str
    reads: list[str]
    writes: tuple[str, ...]
    moving: list[int]
    native: Any = None
    words: Words | None = None

    @property
    def inputs(self) -> list[str]:
        """The names of the operator's inputs."""
        return [self.reads[place] for place in self.moving]


@dataclass
class Draft:
    """The calls of a model.

    Attributes:
        items: by their names; also those that the output doesn't need.
        input, output: names of tensors.
        operator: gives a call's operator before any change.
        joined: makes a new name of a call from a tensor and a kind.
        first: names the first tensor of a call.
        replaced: by tensor, what took its place.
    """

    items: dict[str, Item]
    input: str
    output: str
    operator: Callable[[Item], Operator]
    joined: Callable[[str, str], str]
    first: Callable[[str], str]
    tensors: set[str] = field(default_factory=set)
    replaced: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tensors = {self.input, *(name for item in self.items.values() for name in item.writes)}

    def apply(self, edits: Sequence[Edit]) -> None:
        """Change the calls: what is set belongs together, the rest goes in its order.

        Raises:
            Impossible: an edit names something that isn't there.
        """
        self._set(edits)
        for edit in edits:
            if isinstance(edit, Reconnect):
                self._reconnect(edit)
            elif isinstance(edit, Bypass):
                self._bypass(edit)
            elif isinstance(edit, Insert):
                self._insert(edit)
            elif isinstance(edit, Replace):
                self._replace(edit)

    def order(self) -> list[Item]:
        """The calls that the output needs, each behind those that it reads.

        Raises:
            Impossible: they read each other in a circle.
        """
        writers = {name: item for item in self.items.values() for name in item.writes}
        needed, waiting = set(), [self.output]
        while waiting:
            item = writers.get(waiting.pop())
            if item is not None and item.name not in needed:
                needed.add(item.name)
                waiting += self._read(item)
        graph = {
            name: [writers[tensor].name for tensor in self._read(item) if tensor in writers]
            for name, item in self.items.items()
            if name in needed
        }
        try:
            return [self.items[name] for name in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            raise Impossible("the edits make an operator read what comes of it") from error

    def _read(self, item: Item) -> list[str]:
        return item.reads if item.words is None else item.inputs

    def _item(self, name: str) -> Item:
        if name not in self.items or not self.items[name].moving:
            raise Impossible(f"there is no operator {name!r}")
        return self.items[name]

    def _tensor(self, name: str) -> str:
        if name not in self.tensors:
            raise Impossible(f"there is no tensor {name!r}")
        return self.replaced.get(name, name)

    def _set(self, edits: Sequence[Edit]) -> None:
        """Say what the operators are to be of which something is set."""
        attributes: dict[str, dict[str, Any]] = {}
        parameters: dict[str, dict[str, Any]] = {}
        for edit in edits:
            if isinstance(edit, SetAttribute):
                attributes.setdefault(edit.operator, {})[edit.attribute] = edit.value
            elif isinstance(edit, SetParameter):
                parameters.setdefault(edit.operator, {})[edit.parameter] = edit.value
        for name in dict.fromkeys([*attributes, *parameters]):
            item = self._item(name)
            item.words = words.changed(
                self.operator(item), attributes.get(name, {}), parameters.get(name, {})
            )

    def _insert(self, edit: Insert) -> None:
        behind = self._tensor(edit.behind)
        readers = [*self.items.values()]
        reads = [behind, *map(self._tensor, edit.inputs)]
        made = Words(edit.kind, dict(edit.attributes), dict(edit.parameters))
        self._redirect(readers, behind, self._add(behind, reads, made))

    def _replace(self, edit: Replace) -> None:
        old = self._tensor(edit.tensor)
        readers = [*self.items.values()]
        known = {name: self._tensor(tensor) for name, tensor in edit.reads.items()}
        made = old
        for operator in edit.operators:
            said = Words(operator.kind, dict(operator.attributes), dict(operator.parameters))
            made = self._add(old, [known[name] for name in operator.inputs], said)
            known[operator.outputs[0]] = made
        self._redirect(readers, old, made)
        self.replaced[edit.tensor] = made

    def _add(self, near: str, reads: list[str], made: Words) -> str:
        """Add a call, named after a tensor; the tensor that it writes."""
        name = self.joined(near, made.kind)
        while name in self.items:
            name += "_"
        new = Item(name, reads, (self.first(name),), [*range(len(reads))], words=made)
        self.items[name] = new
        self.tensors.update(new.writes)
        return new.writes[0]

    def _bypass(self, edit: Bypass) -> None:
        item = self._item(edit.operator)
        for tensor in item.writes:
            self._redirect([*self.items.values()], tensor, item.inputs[0])

    def _reconnect(self, edit: Reconnect) -> None:
        item = self._item(edit.operator)
        if not 0 <= edit.position < len(item.moving):
            raise Impossible(f"{edit.operator!r} has no input {edit.position}")
        item.reads[item.moving[edit.position]] = self._tensor(edit.tensor)

    def _redirect(self, readers: list[Item], old: str, new: str) -> None:
        for item in readers:
            item.reads = [new if name == old else name for name in item.reads]
        self.output = new if self.output == old else self.output
