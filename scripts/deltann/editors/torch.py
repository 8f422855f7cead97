"""PyTorch: the graph of an ExportedProgram is changed, and exported again.

Nodes may have other names in the new file. An operator that is set an attribute or a parameter is
written anew, as PyTorch's own modules would be exported: `conv2d`, behind a `pad` if its padding
isn't symmetric.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from deltann import spot_check, steps
from deltann.converters.torch_int8 import drop_unread
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
from deltann.formats import exported_program, torch_graph, torch_operators
from deltann.formats import torch_writing as writing
from deltann.formats import torch_written_functions as functions
from deltann.formats import torch_written_layers as layers
from deltann.formats.torch_graph import as_tensor, bound, operator_name, set_argument
from deltann.formats.torch_reading import Call, Parameter, Reading, is_node, number, shape
from deltann.formats.torch_sorting import sort
from deltann.tolerance import TOLERANCE

ENVIRONMENT = "torch"
WRITERS = layers.WRITERS | functions.WRITERS


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `edits.EditorModule`.

    Raises:
        Impossible: see there; also if the logits would get another shape.
        Fault: the exported file's answer isn't that of the changed graph.
    """
    network = torch_graph.load(model_file)
    sides = shape(network.output)
    editor = Editor(network)
    for place, edit in enumerate(edits):
        editor.apply(edit, edits[place + 1 : place + 2])
    editor.finish()
    ask = partial(_answer, network)
    image = spot_check.image(network.shape, network.dtype)
    expected = ask(image)
    if list(expected.shape) != sides:
        raise Impossible(f"the logits would have the shape {list(expected.shape)}, not {sides}")
    exported_program.save(network.module, network.shape, output, network.dtype)
    rounding = partial(spot_check.sensitivity, ask, image, expected)
    given = _answer(torch_graph.load(output), image)
    spot_check.compare("changing a PyTorch graph", expected, given, TOLERANCE, rounding)


def _answer(network: torch_graph.Network, image: Any) -> Any:
    """A network's logits, from and to a numpy array."""
    import torch

    name = network.output.name
    return network.run(torch.from_numpy(image), {name}, {})[name]


@dataclass
class Operator:
    """An operator as it is after the edits so far.

    Attributes:
        node: the node that it was read from.
        reading: what it is.
        inputs: the nodes that it reads, in the order of `reading.places`.
        outputs: the names of the tensors that it writes.
        rewritten: whether new nodes stand for `node`.
    """

    node: Any
    reading: Reading
    inputs: list[Any]
    outputs: list[str]
    rewritten: bool = False


class Editor:
    """Changes a network, one edit after the other."""

    def __init__(self, network: torch_graph.Network):
        self.network, self.writer = network, writing.Writer(network.module)
        live = network.live()
        self.tensors = {node.name: node for node in live}
        self.operators = {}
        for node in live:
            if torch_operators.is_operator(node):
                reading = torch_operators.read(network, node)
                inputs = [Call(network, node).at(place) for place in reading.places]
                outputs = [item.name for item in torch_operators.outputs(node, live)]
                self.operators[node.name] = Operator(node, reading, inputs, outputs)

    def apply(self, edit: Edit, following: Sequence[Edit] = ()) -> None:
        """Apply an edit, or note it if the one that follows changes more of the same operator."""
        match edit:
            case SetAttribute() | SetParameter():
                operator = self._operator(edit.operator)
                if isinstance(edit, SetAttribute):
                    self._set_attribute(operator, edit)
                else:
                    self._set_parameter(operator, edit)
                more = [item for item in following if isinstance(item, SetAttribute | SetParameter)]
                if operator.reading.kind in WRITERS and not any(
                    item.operator == edit.operator for item in more
                ):
                    self._rewrite(operator)
            case Reconnect():
                self._reconnect(edit)
            case Bypass():
                operator = self._operator(edit.operator)
                self._replace_output(operator, operator.inputs[0])
                del self.operators[edit.operator]
            case Insert():
                self._insert(edit)
            case Replace():
                self._replace_maker(edit)
            case _:
                assert_never(edit)

    def finish(self) -> None:
        """Bring the graph in order, and drop what nothing reads any more.

        Raises:
            Impossible: an operator would read what depends on its own output.
        """
        graph = self.network.module.graph
        sort(graph)
        for node in reversed(graph.nodes):
            if not node.users and node.op not in ("placeholder", "output"):
                graph.erase_node(node)
        graph.lint()
        self.network.module.recompile()
        drop_unread(self.network.module)
        self.network.refresh()

    def _operator(self, name: str) -> Operator:
        if name not in self.operators:
            raise Impossible(f"there is no operator {name!r}")
        return self.operators[name]

    def _tensor(self, name: str) -> Any:
        if name not in self.tensors:
            raise Impossible(f"there is no tensor {name!r}")
        return self.tensors[name]

    def _set_attribute(self, operator: Operator, edit: SetAttribute) -> None:
        reading, name, value = operator.reading, edit.attribute, edit.value
        if reading.kind not in WRITERS:
            self._set_argument(operator, name, value)
            return
        known = {*reading.attributes, "activation"} | writing.MORE_ATTRIBUTES.get(
            reading.kind, set()
        )
        if name not in known:
            raise Impossible(f"{reading.kind} {edit.operator!r} has no attribute {name!r}")
        if name == "size" and value != reading.attributes[name]:
            reading.attributes.pop("scales", None)
        reading.attributes[name] = value
        if value is None and name == "divisor":
            del reading.attributes[name]

    def _set_argument(self, operator: Operator, name: str, value: Any) -> None:
        """Set an argument of an operator that no writer writes."""
        import torch

        if name not in bound(operator.node):
            raise Impossible(f"{operator.node.target} has no argument {name!r}")
        if name == "axis":
            value = number(value)
        if name == "dtype":
            value = getattr(torch, value)
        set_argument(operator.node, name, value)

    def _set_parameter(self, operator: Operator, edit: SetParameter) -> None:
        reading, name, value = operator.reading, edit.parameter, as_tensor(edit.value)
        old = reading.parameters.get(name)
        if old is None and name not in writing.MORE_PARAMETERS.get(reading.kind, set()):
            raise Impossible(f"{reading.kind} {edit.operator!r} has no parameter {name!r}")
        if old is None or is_node(old.source):
            value = value.to((old or next(iter(reading.parameters.values()))).value.dtype)
        if reading.kind not in WRITERS:
            self._set_constant(operator, name, value)
            return
        reading.parameters[name] = Parameter(value)
        if old and is_node(old.source) and operator_name(old.source).startswith("dequantize_"):
            reading.parameters[name].source = writing.quantized_like(
                self.writer, self.network, old.source, value
            )

    def _set_constant(self, operator: Operator, name: str, value: Any) -> None:
        """Set a constant argument of an operator that no writer writes."""
        arguments = bound(operator.node)
        argument = name if name in arguments else f"{name}s"  # scales of channels
        if is_node(arguments[argument]):
            set_argument(operator.node, argument, self.writer.constant(value, name))
        else:
            kind = type(arguments[argument])
            set_argument(operator.node, argument, kind(value.item()))

    def _reconnect(self, edit: Reconnect) -> None:
        operator, tensor = self._operator(edit.operator), self._tensor(edit.tensor)
        if not 0 <= edit.position < len(operator.inputs):
            raise Impossible(f"{edit.operator!r} reads {len(operator.inputs)} tensors")
        operator.inputs[edit.position] = tensor
        if operator.rewritten:
            self._rewrite(operator)
            return
        name, place = operator.reading.places[edit.position]
        if place is not None:
            tensors = list(bound(operator.node)[name])
            tensors[place] = tensor
            tensor = tensors
        set_argument(operator.node, name, tensor)

    def _insert(self, edit: Insert) -> None:
        behind = self._tensor(edit.behind)
        readers = list(behind.users)
        inputs = [behind, *(self._tensor(name) for name in edit.inputs)]
        self._replace(behind, self._new(edit, inputs), readers)

    def _replace_maker(self, edit: Replace) -> None:
        old = self._tensor(edit.tensor)
        readers = list(old.users)
        known = {name: self._tensor(tensor) for name, tensor in edit.reads.items()}
        node = old
        for operator in edit.operators:
            node = self._new(operator, [known[name] for name in operator.inputs])
            if activation := dict(operator.activation):
                node = self._write(activation.pop("kind"), [node], activation, {})
            known[operator.outputs[0]] = node
        self._replace(old, node, readers)
        self.tensors[edit.tensor] = node

    def _new(self, said: Insert | steps.Operator, inputs: list[Any]) -> Any:
        """The last of the nodes of an operator that the graph has not had."""
        dtype = inputs[0].meta["val"].dtype
        parameters = {
            name: Parameter(as_tensor(value).to(dtype)) for name, value in said.parameters.items()
        }
        return self._write(said.kind, inputs, said.attributes, parameters)

    def _write(
        self, kind: str, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
    ) -> Any:
        """The last of the nodes of a new operator."""
        if kind not in WRITERS:
            raise Impossible(f"PyTorch's editor can't write {kind!r}")
        try:
            return WRITERS[kind](self.writer, inputs, attributes, parameters)
        except KeyError as error:
            raise Impossible(f"{kind} needs {error}") from error

    def _rewrite(self, operator: Operator) -> None:
        """Write an operator anew."""
        import operator as python

        reading, inputs = operator.reading, operator.inputs
        node = self._write(reading.kind, inputs, reading.attributes, reading.parameters)
        if activation := dict(reading.attributes.get("activation", {})):
            node = self._write(activation.pop("kind"), [node], activation, {})
        operator.rewritten = True
        if reading.kind != "split":
            self._replace_output(operator, node)
            return
        for name in operator.outputs:
            part = self.writer.call(python.getitem, node, self.tensors[name].args[1])
            self._rename(name, part)

    def _replace_output(self, operator: Operator, node: Any) -> None:
        """Have the readers of an operator's one output read another node."""
        name, *more = operator.outputs
        place = self.tensors[name].args[1] if name != operator.node.name else 0
        if more or (not operator.rewritten and place):
            raise Impossible(f"{operator.node.target} {operator.node.name!r} has several outputs")
        self._rename(name, node)

    def _rename(self, name: str, node: Any) -> None:
        """Have a node stand for a tensor."""
        old = self.tensors[name]
        self._replace(old, node, list(old.users))
        self.tensors |= {key: node for key, value in self.tensors.items() if value is old}

    def _replace(self, old: Any, new: Any, readers: list[Any]) -> None:
        """Have some readers of a node read another one."""
        for reader in readers:
            reader.replace_input_with(old, new)
        for operator in self.operators.values():
            operator.inputs = [new if node is old else node for node in operator.inputs]
