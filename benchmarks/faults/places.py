"""Places of mutations in clean files, and what is true of a fault that is planted there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mutations import Graph, Mutation, plain

from deltann.edits import Bypass, Insert
from deltann.steps import MOVES, Operator


@dataclass
class Loaded:
    """A clean file: its operators, and its answers to all images."""

    model: str
    conversion: str
    path: Path
    graph: Graph
    answers: np.ndarray
    exact: np.ndarray


@dataclass(frozen=True)
class Place:
    """A mutation at its place; `number` tells it from others of the same name in the file."""

    name: str
    family: str
    file: Loaded
    number: int
    mutation: Mutation

    @property
    def depth(self) -> str:
        """See `Graph.depth`."""
        return self.file.graph.depth(self.mutation)

    @property
    def key(self) -> str:
        """What it is called in a seed."""
        return f"{self.file.model} {self.file.conversion} {self.name} {self.number}"


def at(place: Place) -> int:
    """The number of the first operator at fault."""
    names = [item.name for item in place.file.graph.operators]
    return min(names.index(name) for name in place.mutation.operators)


def names_of(places: list[Place]) -> str:
    """The names of the mutations at some places."""
    return " + ".join(place.name for place in places)


def _neighbours(place: Place) -> Iterator[str]:
    """The operators around those at fault in the clean file, and those behind mere moves."""
    graph = place.file.graph
    for item in graph.operators:
        if item.name in place.mutation.operators:
            makers = (graph.maker(name) for name in item.inputs)
            yield from (maker.name for maker in makers if maker)
            yield from _behind(graph, item)


def _behind(graph: Graph, item: Operator) -> Iterator[str]:
    """The readers of an operator's output; of those that change no number, also theirs."""
    for reader in graph.readers(item.outputs[0]):
        yield reader.name
        if reader.kind in MOVES:
            yield from _behind(graph, reader)


def truth_of(
    place: Place, same: dict[str, str], names: dict[str, str], new: list[str], alone: bool
) -> dict[str, Any]:
    """What is true of one fault: its operators in the changed file above all.

    Args:
        place: of the fault.
        same: operators of the clean file that are still there, with their names before scrambling.
        names: the scrambled names by those before.
        new: operators that the clean file hasn't, scrambled.
        alone: whether it is the file's only fault.
    """
    mutation = place.mutation
    inserts = any(isinstance(edit, Insert) for edit in mutation.edits)
    inserted = new if inserts or alone else []
    left = [names[same[name]] for name in mutation.operators if name in same]
    taken = {edit.operator for edit in mutation.edits if isinstance(edit, Bypass)}
    around = [names[same[name]] for name in _neighbours(place) if name in same]
    gone = not left or taken & {*mutation.operators} or mutation.attribute == "kind"
    return {
        "mutation": place.name,
        "family": place.family,
        "families": [place.family, *mutation.also],
        "depth": place.depth,
        "operators": [*inserted, *left],
        "around": around if gone or inserted else [],
        "clean_operators": list(mutation.operators),
        "natives": [o.native for o in place.file.graph.operators if o.name in mutation.operators],
        "attribute": mutation.attribute,
        "right": plain(mutation.right),
        "repairable": mutation.repairable,
    }
