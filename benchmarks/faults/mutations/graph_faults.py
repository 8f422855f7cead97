"""Faults of the graph: operators that are missing, too many or in the wrong place."""

from collections.abc import Iterator

from deltann.edits import Bypass, Insert, Reconnect, SetAttribute
from deltann.steps import Operator
from mutations import Graph, Mutation, activations


def _joins(graph: Graph) -> Iterator[Operator]:
    """Additions of two tensors of one shape."""
    for item in graph.of("add"):
        if len({graph.shapes[name] for name in item.inputs}) == 1 and len(set(item.inputs)) == 2:
            yield item


def residual_dropped(graph: Graph) -> Iterator[Mutation]:
    """An addition left out."""
    for item in _joins(graph):
        if not item.activation:
            yield Mutation((Bypass(item.name),), (item.name,), "kind", "add")


def operands_swapped(graph: Graph) -> Iterator[Mutation]:
    """The operands of a subtraction or division swapped."""
    for item in graph.of("subtract", "divide"):
        if len(item.inputs) == 2 and len({graph.shapes[name] for name in item.inputs}) == 1:
            one, other = item.inputs
            edits = (Reconnect(item.name, 0, other), Reconnect(item.name, 1, one))
            yield Mutation(edits, (item.name,), "inputs", [one, other])


def training_mode(graph: Graph) -> Iterator[Mutation]:
    """A batch norm that takes the statistics of the image."""
    for item in graph.of("batch_norm"):
        edit = SetAttribute(item.name, "training", True)
        yield Mutation((edit,), (item.name,), "training", False)


def activation_twice(graph: Graph) -> Iterator[Mutation]:
    """An activation applied again."""
    for item, described in activations(graph):
        rest = {name: value for name, value in described.items() if name != "kind"}
        if described["kind"] not in ("clip", "softmax", "log_softmax", "prelu"):
            edit = Insert(item.outputs[0], described["kind"], rest)
            yield Mutation((edit,), (item.name,), "kind", "once")


def skip_elsewhere(graph: Graph) -> Iterator[Mutation]:
    """A skip from an earlier or later tensor of the same shape."""
    tensors = [graph.input]
    for item in graph.operators:
        if item.kind == "add" and len(set(item.inputs)) == 2:
            shape = graph.shapes[item.inputs[1]]
            same = [name for name in tensors if graph.shapes.get(name) == shape]
            others = [name for name in same if name not in item.inputs]
            if others:
                edit = Reconnect(item.name, 1, others[-1])
                yield Mutation((edit,), (item.name,), "inputs", list(item.inputs))
        tensors += item.outputs


def extra_output(graph: Graph) -> Iterator[Mutation]:
    """The answer of the file comes second, behind a tensor from the middle."""
    middle = graph.operators[len(graph.operators) // 2]
    yield Mutation((), (middle.name,), "outputs", 1, False, "extra_output")


FOUND = {
    "residual_dropped": residual_dropped,
    "operands_swapped": operands_swapped,
    "training_mode": training_mode,
    "activation_twice": activation_twice,
    "skip_elsewhere": skip_elsewhere,
    "extra_output": extra_output,
}
