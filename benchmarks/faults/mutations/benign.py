"""Benign changes: another file, the same function of the image. No alarm is to be raised."""

from collections.abc import Iterator

from deltann.edits import Bypass, Edit, Insert, Reconnect, SetAttribute, SetParameter
from deltann.steps import Operator
from mutations import Graph, Mutation
from mutations.parameters_faults import folded, pairs


def _change(*edits: Edit, at: str = "", special: str = "") -> Mutation:
    return Mutation(edits, (at,) if at else (), "none", None, False, special)


def renamed(graph: Graph) -> Iterator[Mutation]:
    """Only other names."""
    yield _change()


def reordered(graph: Graph) -> Iterator[Mutation]:
    """The nodes in another order that runs."""
    yield _change(special="reordered")


def _images(graph: Graph) -> Iterator[Operator]:
    """Operators whose output is an image that others read."""
    for item in graph.operators[:-1]:
        if len(graph.shapes[item.outputs[0]]) == 4 and item.outputs[0] != graph.output:
            yield item


def transposes(graph: Graph) -> Iterator[Mutation]:
    """A transpose and its inverse."""
    for item in _images(graph):
        there, back = {"permutation": [0, 2, 3, 1]}, {"permutation": [0, 3, 1, 2]}
        tensor = item.outputs[0]
        edits = Insert(tensor, "transpose", back), Insert(tensor, "transpose", there)
        yield _change(*edits, at=item.name)


def one(graph: Graph) -> Iterator[Mutation]:
    """A product with 1, or a sum with 0."""
    import numpy as np

    for place, item in enumerate(_images(graph)):
        kind, value = (("multiply", 1), ("add", 0))[place % 2]
        operand = {"operand": np.float32(value)}
        yield _change(Insert(item.outputs[0], kind, parameters=operand), at=item.name)


def wide_clip(graph: Graph) -> Iterator[Mutation]:
    """A clip that nothing reaches."""
    for item in _images(graph):
        bounds = {"min": -1e6, "max": 1e6}
        yield _change(Insert(item.outputs[0], "clip", bounds), at=item.name)


def relu_twice(graph: Graph) -> Iterator[Mutation]:
    """A ReLU behind a ReLU."""
    for item in graph.of("clip"):
        if item.attributes["min"] == 0:
            yield _change(Insert(item.outputs[0], "clip", dict(item.attributes)), at=item.name)


def no_pad(graph: Graph) -> Iterator[Mutation]:
    """A padding of nothing."""
    for item in _images(graph):
        nothing = {"pads": [0, 0, 0, 0], "value": 0.0, "mode": "constant"}
        yield _change(Insert(item.outputs[0], "pad", nothing), at=item.name)


def folded_norm(graph: Graph) -> Iterator[Mutation]:
    """A batch norm folded rightly."""
    for before, norm in pairs(graph):
        weight, bias = folded(before, norm, norm.attributes["epsilon"])
        sets = [
            SetParameter(before.name, "weight", weight),
            SetParameter(before.name, "bias", bias),
        ]
        yield _change(*sets, Bypass(norm.name), at=before.name)


def plain_norm(graph: Graph) -> Iterator[Mutation]:
    """A batch norm that changes nothing."""
    import numpy as np

    for item in _images(graph):
        channels = graph.shapes[item.outputs[0]][graph.side("C")]
        ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        given = {"scale": ones, "shift": zeros, "mean": zeros, "variance": ones}
        norm = Insert(item.outputs[0], "batch_norm", {"epsilon": 1e-12}, given)
        yield _change(norm, at=item.name)


def commuted(graph: Graph) -> Iterator[Mutation]:
    """The operands of a sum or product swapped."""
    for item in graph.of("add", "multiply"):
        if len(set(item.inputs)) == 2:
            first, second = item.inputs
            edits = Reconnect(item.name, 0, second), Reconnect(item.name, 1, first)
            yield _change(*edits, at=item.name)


def bias_apart(graph: Graph) -> Iterator[Mutation]:
    """A bias added by an operator of its own."""
    for item in graph.of("convolution"):
        bias = item.parameters.get("bias")
        if bias is not None and not item.activation and item.outputs[0] != graph.output:
            edits = (
                SetParameter(item.name, "bias", 0 * bias),
                Insert(item.outputs[0], "add", parameters={"operand": bias}),
            )
            yield _change(*edits, at=item.name)


def explicit_pad(graph: Graph) -> Iterator[Mutation]:
    """A convolution's padding as an operator of its own."""
    for item in graph.of("convolution"):
        pads = list(item.attributes["pads"])
        if any(pads) and graph.alone(item.inputs[0]):
            edits = (
                Insert(item.inputs[0], "pad", {"pads": pads, "value": 0.0, "mode": "constant"}),
                SetAttribute(item.name, "pads", [0, 0, 0, 0]),
            )
            yield _change(*edits, at=item.name)


def _chains(graph: Graph) -> Iterator[tuple[Operator, Operator]]:
    """Two convolutions with nothing but a ReLU between, the second without groups."""
    for item in graph.of("convolution"):
        tensor = item.outputs[0]
        if not graph.alone(tensor) or item.activation not in ({}, _relu()):
            continue
        (then,) = graph.readers(tensor)
        if then.kind == "clip" and dict(then.attributes) == {"min": 0, "max": None}:
            tensor = then.outputs[0]
            if not graph.alone(tensor):
                continue
            (then,) = graph.readers(tensor)
        if then.kind == "convolution" and then.attributes.get("groups", 1) == 1:
            yield item, then


def _relu() -> dict[str, object]:
    return {"kind": "clip", "min": 0, "max": None}


def channels_elsewhere(graph: Graph) -> Iterator[Mutation]:
    """The channels between two convolutions in another order."""
    for item, then in _chains(graph):
        if item.attributes.get("groups", 1) != 1:
            continue
        sets = [SetParameter(item.name, "weight", item.parameters["weight"][::-1].copy())]
        if "bias" in item.parameters:
            sets.append(SetParameter(item.name, "bias", item.parameters["bias"][::-1].copy()))
        sets.append(SetParameter(then.name, "weight", then.parameters["weight"][:, ::-1].copy()))
        yield _change(*sets, at=item.name)


def scale_elsewhere(graph: Graph) -> Iterator[Mutation]:
    """A power of two moved from one convolution's weight into the next's."""
    for item, then in _chains(graph):
        sets = [SetParameter(item.name, "weight", 2 * item.parameters["weight"])]
        if "bias" in item.parameters:
            sets.append(SetParameter(item.name, "bias", 2 * item.parameters["bias"]))
        sets.append(SetParameter(then.name, "weight", then.parameters["weight"] / 2))
        yield _change(*sets, at=item.name)


FOUND = {
    "renamed": renamed,
    "reordered": reordered,
    "transposes": transposes,
    "one": one,
    "wide_clip": wide_clip,
    "relu_twice": relu_twice,
    "no_pad": no_pad,
    "folded_norm": folded_norm,
    "plain_norm": plain_norm,
    "commuted": commuted,
    "bias_apart": bias_apart,
    "explicit_pad": explicit_pad,
    "channels_elsewhere": channels_elsewhere,
    "scale_elsewhere": scale_elsewhere,
}
