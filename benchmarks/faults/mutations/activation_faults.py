"""Faults of activations."""

from collections.abc import Iterator

from deltann.edits import Bypass, Edit, Insert, Reconnect, SetAttribute
from mutations import Graph, Mutation, activations, set_activation


def relu6_to_relu(graph: Graph) -> Iterator[Mutation]:
    """ReLU6 without its upper bound."""
    for item, described in activations(graph):
        if described["kind"] == "clip" and (described["min"], described["max"]) == (0, 6):
            edit = set_activation(item, "max", None)
            yield Mutation((edit,), (item.name,), "max", 6)


def clip_bounds(graph: Graph) -> Iterator[Mutation]:
    """A ReLU or ReLU6 with other bounds."""
    for item, described in activations(graph):
        if described["kind"] != "clip" or described["min"] != 0:
            continue
        right = [0, described["max"]]
        low = set_activation(item, "min", -0.25)
        yield Mutation((low,), (item.name,), "min", right[0])
        if item.kind == "clip":
            continue
        bounds = {"kind": "clip", "min": -1, "max": 1}  # what TFLite can run together
        both = SetAttribute(item.name, "activation", bounds)
        yield Mutation((both,), (item.name,), "min", right[0])


def gelu(graph: Graph) -> Iterator[Mutation]:
    """GELU by tanh in place of the exact one, or the other way."""
    for item, described in activations(graph):
        if described["kind"] == "gelu":
            right = described.get("approximate", "none")
            other = set_activation(item, "approximate", "tanh" if right == "none" else "none")
            yield Mutation((other,), (item.name,), "approximate", right)


def hard_sigmoid(graph: Graph) -> Iterator[Mutation]:
    """A hard sigmoid of another slope: 0.2 in ONNX and Keras 2, 1/6 in PyTorch."""
    for item, described in activations(graph):
        if described["kind"] == "hard_sigmoid":
            right = described["alpha"]
            edit = set_activation(item, "alpha", 0.2 if right < 0.19 else 1 / 6)
            yield Mutation((edit,), (item.name,), "alpha", right)


def hard_swish(graph: Graph) -> Iterator[Mutation]:
    """A hard sigmoid in place of a hard swish."""
    for item in graph.of("hard_swish"):
        attributes = {"alpha": 1 / 6, "beta": 0.5}
        edits = (Insert(item.outputs[0], "hard_sigmoid", attributes), Bypass(item.name))
        yield Mutation(edits, (item.name,), "kind", "hard_swish")
    for item in graph.of("multiply"):
        gates = [name for name in item.inputs if _gates(graph, item.inputs, name)]
        if len(item.inputs) == 2 and gates and item.outputs[0] != graph.output:
            readers = [
                (reader.name, place)
                for reader in graph.readers(item.outputs[0])
                for place, name in enumerate(reader.inputs)
                if name == item.outputs[0]
            ]
            moved: tuple[Edit, ...] = tuple(
                Reconnect(name, place, gates[0]) for name, place in readers
            )
            yield Mutation(moved, (item.name,), "kind", "hard_swish")


def _gates(graph: Graph, inputs: tuple[str, ...], name: str) -> bool:
    """Whether a product's input is the hard sigmoid of its other input."""
    maker = graph.maker(name)
    return maker is not None and maker.kind == "hard_sigmoid" and maker.inputs[0] in inputs


def softmax_axis(graph: Graph) -> Iterator[Mutation]:
    """A softmax over another axis."""
    for item in graph.of("softmax", "log_softmax"):
        shape, right = graph.shapes[item.inputs[0]], item.attributes["axis"]
        if len(shape) == 4:
            others: list[str | int] = [axis for axis in "CHW" if axis != right]
        else:
            others = [place for place in range(1, len(shape)) if place != right % len(shape)]
        for other in others:
            edit = SetAttribute(item.name, "axis", other)
            yield Mutation((edit,), (item.name,), "axis", right)


FOUND = {
    "relu6_to_relu": relu6_to_relu,
    "clip_bounds": clip_bounds,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": hard_swish,
    "softmax_axis": softmax_axis,
}
