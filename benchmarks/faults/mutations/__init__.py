"""Operators of mutation: each finds its places in a model file, and says what to edit there.

A module per family. A function takes a `Graph` and yields a `Mutation` for each place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from deltann.edits import Edit, SetAttribute
from deltann.steps import ACTIVATIONS, Operator

BENIGN = "benign"


@dataclass(frozen=True)
class Mutation:
    """A fault, or a benign change, at one place.

    Attributes:
        edits: what is done to the converted file.
        operators: the operators that are at fault, as the clean file names them; if all of them
            are taken out, their neighbours are. Operators that are inserted are added later.
        attribute: what is wrong: an attribute or parameter of `deltann.steps`, or a word.
        right: its right value, as JSON has it.
        repairable: whether edits of the target can mend it.
        special: what `Edit` can't say: an output of the file, the order of nodes, the images.
        also: other families that are as right a name for it.
    """

    edits: tuple[Edit, ...]
    operators: tuple[str, ...]
    attribute: str
    right: Any = None
    repairable: bool = True
    special: str = ""
    also: tuple[str, ...] = ()


class Graph:
    """The operators of a clean file, and the shapes of its tensors."""

    def __init__(
        self,
        operators: list[Operator],
        given: str,
        answer: str,
        shapes: dict[str, tuple[int, ...]],
        layout: str,
    ) -> None:
        self.operators, self.input, self.output = operators, given, answer
        self.shapes, self.layout = shapes, layout
        self._makers = {name: item for item in operators for name in item.outputs}

    def readers(self, tensor: str) -> list[Operator]:
        """The operators that read a tensor."""
        return [item for item in self.operators if tensor in item.inputs]

    def maker(self, tensor: str) -> Operator | None:
        """The operator that writes a tensor; None for the input."""
        return self._makers.get(tensor)

    def alone(self, tensor: str) -> bool:
        """Whether one operator reads a tensor, once, and it isn't the answer."""
        reads = sum(item.inputs.count(tensor) for item in self.operators)
        return reads == 1 and tensor != self.output

    def of(self, *kinds: str) -> list[Operator]:
        """The operators of some kinds."""
        return [item for item in self.operators if item.kind in kinds]

    def side(self, axis: str) -> int:
        """The place of an axis in a tensor of four dimensions."""
        return self.layout.index(axis)

    def depth(self, mutation: Mutation) -> str:
        """In which third of the model a mutation is."""
        names = [item.name for item in self.operators]
        places = [names.index(name) for name in mutation.operators if name in names]
        third = 3 * min(places, default=0) // len(names)
        return ("first", "middle", "last")[third]


def activations(graph: Graph) -> Iterator[tuple[Operator, dict[str, Any]]]:
    """Activations, also those that run together with another operator: kind and attributes."""
    for item in graph.operators:
        if item.kind in ACTIVATIONS:
            yield item, {"kind": item.kind, **item.attributes}
        elif item.activation:
            yield item, dict(item.activation)


def set_activation(item: Operator, attribute: str, value: Any) -> Edit:
    """The edit that sets an attribute of an activation, alone or with another operator."""
    if item.kind in ACTIVATIONS:
        return SetAttribute(item.name, attribute, value)
    return SetAttribute(item.name, "activation", {**item.activation, attribute: value})


def plain(value: Any) -> Any:
    """A value as JSON has it: arrays as nested lists, large ones as their shape."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 64 else {"shape": list(value.shape)}
    return value


Finder = Callable[[Graph], Iterator[Mutation]]
FAMILIES = ("input", "layout", "parameters", "attributes", "activation", "graph")


def of_family(family: str) -> dict[str, Finder]:
    """The operators of mutation of a family by name."""
    return dict(import_module(f"{__name__}.{family}_faults").FOUND)


def everything() -> dict[str, tuple[str, Finder]]:
    """Every operator of mutation by name, with its family; benign changes last."""
    found = {
        name: (family, finder) for family in FAMILIES for name, finder in of_family(family).items()
    }
    benign = import_module(f"{__name__}.benign").FOUND
    return found | {name: (BENIGN, finder) for name, finder in benign.items()}


def modules() -> list[str]:
    """The modules of this package."""
    return sorted(item.name for item in iter_modules([str(Path(__file__).parent)]))
