"""The frontier of two models: the last tensors that agree, and the first operators behind them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from deltann.localise.alignment import Index, Match
from deltann.localise.canonical import SILENT
from deltann.localise.side import Side
from deltann.steps import Operator


@dataclass
class Frontier:
    """Which of the target's tensors agree, and which are lost.

    A tensor is lost if the source has neither an equal of it nor of any tensor behind it: tensors
    inside of what one format has as one operator have no equal, but those behind them do.

    Attributes:
        target: the target's side, with all tensors captured.
        index: of the source's tensors.
        matches: by target tensor, its equal.
        lost: the target's tensors that are lost.
    """

    target: Side
    index: Index
    matches: dict[str, Match] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Match all tensors of the target as they are now."""
        self.matches = {}
        for name in self.target.tensors:
            if self.target.knows(name):
                match = self.index.find(self.target.values(name))
                if match:
                    self.matches[name] = match
        output = self.target.output
        if output in self.matches and not self.same(self.index.source.output, output):
            del self.matches[output]  # the equal of a tensor inside, without the last operators
        self._find_lost()

    def _find_lost(self) -> None:
        self.lost = set()
        for operator in reversed(self.target.operators):
            for name in operator.outputs:
                readers = self.target.readers.get(name, [])
                behind = [
                    output for number in readers for output in self.target.operators[number].outputs
                ]
                if name in self.matches or name in self.target.replaced:
                    continue
                if name != self.target.output and not behind:
                    continue
                if all(item in self.lost for item in behind):
                    self.lost.add(name)

    def first_lost(self) -> int | None:
        """The number of the first operator that writes a lost tensor and reads none."""
        for number, operator in enumerate(self.target.operators):
            if self.lost.intersection(operator.outputs) and not self.lost.intersection(
                operator.inputs
            ):
                return number
        return None

    def matched(self) -> tuple[int, int]:
        """How many of the target's tensors have an equal, and how many were looked at."""
        looked = [name for name in self.target.tensors if self.target.knows(name)]
        return len([name for name in looked if name in self.matches]), len(looked)

    def agrees(self, tensor: str) -> bool:
        """Whether a target's tensor has an equal, or was replaced by the source's."""
        return tensor in self.matches or tensor in self.target.replaced

    def same(self, source: str, tensor: str) -> bool | None:
        """Whether a target's tensor holds what a source's does; None if it has no equal at all."""
        match = self.matches.get(tensor)
        if match is None:
            return None
        if match.name == source:
            return True
        own = self.index.find(self.index.source.values(source))
        return own is not None and own.name == match.name

    def passed(self, tensor: str) -> bool:
        """Whether a tensor agrees, and not only because its operator does nothing to these numbers.

        A clip whose bound is missing gives what it reads, which the source has, too.
        """
        if not self.agrees(tensor):
            return False
        number = self.target.producer.get(tensor)
        if number is None or tensor not in self.matches:
            return True
        operator = self.target.operators[number]
        if operator.kind in SILENT or not operator.inputs:
            return True
        read = self.matches.get(operator.inputs[0])
        return read is None or read.name != self.matches[tensor].name


def between(
    side: Side, stops: Callable[[str], bool], tensor: str
) -> tuple[list[Operator], list[str]]:
    """The operators before a tensor up to where it stops, in running order, and the stops.

    Args:
        side: of the model.
        stops: called with a tensor's name: whether the way back ends there.
        tensor: where the way begins; it doesn't stop there itself.
    """
    operators: set[int] = set()
    ends: dict[str, None] = {}
    todo = [tensor]
    while todo:
        name = todo.pop()
        number = side.producer.get(name)
        if number is None or number in operators:
            if number is None:
                ends[name] = None
            continue
        operators.add(number)
        for read in side.operators[number].inputs:
            if stops(read):
                ends[read] = None
            else:
                todo.append(read)
    return [side.operators[number] for number in sorted(operators)], list(ends)
