"""A TFLite file that is being edited: which tensors and operators the names of edits stand for."""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deltann.edits import Bypass, Impossible, Insert, Reconnect
from deltann.formats import tflite_chains as chains
from deltann.formats.tflite_builder import Builder
from deltann.formats.tflite_file import TfliteFile
from deltann.formats.tflite_operators import Described, describe

if TYPE_CHECKING:
    import numpy as np


class Editing:
    """A settled file, changed step by step. Names are those of the file as it was.

    Attributes:
        file: the file.
        builder: adds to it.
    """

    def __init__(self, file: TfliteFile):
        self.file, self.builder = file, Builder(file)
        self._described = {item.operator.name: item for item in describe(file)}
        self._numbers = {name: index for index, name in enumerate(file.names)}

    def described(self, name: str) -> Described:
        """An operator by its name."""
        if name not in self._described:
            raise Impossible(f"no operator is called {name!r}")
        return self._described[name]

    def number(self, name: str) -> int:
        """A tensor by its name."""
        if name not in self._numbers:
            raise Impossible(f"no tensor is called {name!r}")
        return self._numbers[name]

    def renumber(self, name: str, number: int) -> None:
        """Have edits mean another tensor by a name."""
        self._numbers[name] = number

    def put_behind(
        self, tensor: int, build: Callable[[int], int], whole: bool = False, part: bool = False
    ) -> int:
        """Have all readers of a tensor read what new operators make of it.

        Args:
            tensor: its number.
            build: adds these to the file: from the number of what they take to that of what they
                give.
            whole: whether they take quantized numbers as they are; else they get float32.
            part: whether they belong to the operator that makes the tensor. Then the tensor keeps
                number and name and holds what they make, as an output always does.

        Returns:
            The number of what they make.
        """
        readers = self.file.readers(tensor)
        source, keeps = tensor, part or tensor in self.file.graph.outputs
        if keeps:
            source = self.builder.twin(tensor)
            self._made_as(tensor, source)
            if not part:
                self._numbers[self.file.names[tensor]] = source
        if whole:
            made = build(source)
        else:
            made = self.builder.quantized(build(self.builder.dequantized(source)), source)
        if made == source:
            raise Impossible("nothing to insert")
        if keeps:
            self._take_place(made, tensor)
            return tensor
        for item in readers:
            item.inputs = [made if index == tensor else index for index in item.inputs]
        return made

    def replace(self, operator: Any, build: Callable[[int], int], whole: bool = False) -> None:
        """Replace an operator by new ones, which take its first tensor and write its output."""
        self.file.graph.operators.remove(operator)
        source, output = operator.inputs[0], operator.outputs[0]
        if whole:
            made = build(source)
        else:
            made = self.builder.quantized(build(self.builder.dequantized(source)), output)
        self._take_place(made, output)

    def bypass(self, edit: Bypass) -> None:
        """Take an operator out."""
        item = self.described(edit.operator)
        operator = item.node.operator
        if len(operator.outputs) != 1 or not item.places:
            raise Impossible(f"{edit.operator}: it has several outputs, or no input")
        source, output = operator.inputs[item.places[0]], operator.outputs[0]
        self.file.graph.operators.remove(operator)
        if output not in self.file.graph.outputs:
            for reader in self.file.readers(output):
                reader.inputs = [source if index == output else index for index in reader.inputs]
            return
        ends = {*self.file.graph.inputs, *self.file.graph.outputs}
        if source in ends or source not in self.file.makers():
            raise Impossible(f"{edit.operator}: it alone is between the input and the output")
        self._numbers[self.file.names[source]] = output
        for reader in self.file.readers(source):
            reader.inputs = [output if index == source else index for index in reader.inputs]
        self._take_place(source, output)

    def reconnect(self, edit: Reconnect) -> None:
        """Have an operator read another tensor."""
        item = self.described(edit.operator)
        if not 0 <= edit.position < len(item.places):
            raise Impossible(f"{edit.operator} has no input {edit.position}")
        place = item.places[edit.position]
        item.node.operator.inputs[place] = self.number(edit.tensor)

    def insert(self, edit: Insert) -> None:
        """Put a new operator behind a tensor."""
        others = [self.number(name) for name in edit.inputs]

        def build(source: int) -> int:
            tensors = [source, *map(self.builder.dequantized, others)]
            return chains.build(self.builder, edit.kind, tensors, edit.attributes, edit.parameters)

        self.put_behind(self.number(edit.behind), build, whole=edit.kind in chains.MOVING)

    def own(
        self,
        operator: Any,
        place: int,
        values: "np.ndarray",
        dtype: str,
        scales: Any = None,
        name: str | None = None,
    ) -> int:
        """Have an operator read a new constant at a place, which may be the first behind its last.

        Nobody else reads it, so that those who shared the old one go on reading that.
        """
        import numpy as np

        old = operator.inputs[place] if place < len(operator.inputs) else None
        if name is None:
            known = old is not None and old >= 0 and len(self.file.readers(old)) == 1
            name = self.file.names[old] if known else self.builder.free_name("constant")  # type: ignore[index]
        values = np.asarray(values).astype(dtype)
        index = self.file.add_tensor(name, values.shape, dtype, values, scales)
        operator.inputs += [-1] * (place + 1 - len(operator.inputs))
        operator.inputs[place] = index
        return index

    def _made_as(self, old: int, new: int) -> None:
        """Whoever makes a tensor makes another one."""
        maker = self.file.makers().get(old)
        if maker is None:
            raise Impossible(f"nothing makes {self.file.names[old]!r}")
        maker.outputs = [new if index == old else index for index in maker.outputs]

    def _take_place(self, made: int, tensor: int) -> None:
        """A tensor becomes what another one is; it keeps its number and name."""
        self._made_as(made, tensor)
        name = self.file.tensors[tensor].name
        self.file.tensors[tensor] = copy.copy(self.file.tensors[made])
        self.file.tensors[tensor].name = name
        self.file.shapes[tensor] = self.file.shapes[made]

    def ordered(self) -> None:
        """Put the operators in an order in which each finds what it reads.

        Raises:
            Impossible: they go in a circle.
        """
        waiting: Sequence[Any] = self.file.graph.operators
        missing = {index for item in waiting for index in item.outputs}
        found: list[Any] = []
        while waiting:
            ready = next((item for item in waiting if not missing & set(item.inputs)), None)
            if ready is None:
                raise Impossible("the edited operators would wait for each other")
            found.append(ready)
            missing -= set(ready.outputs)
            waiting = [item for item in waiting if item is not ready]
        self.file.graph.operators = found
