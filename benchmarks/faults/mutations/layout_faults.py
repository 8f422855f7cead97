"""Faults of layout: the right numbers in the wrong order."""

from collections.abc import Iterator

from deltann.edits import Bypass, Edit, Reconnect, SetAttribute, SetParameter
from deltann.steps import Operator
from mutations import Graph, Mutation, plain


def _weight(item: Operator, weight: object) -> Mutation:
    return Mutation(
        (SetParameter(item.name, "weight", weight),),
        (item.name,),
        "weight",
        "the same numbers in their order",
    )


def flatten_order(graph: Graph) -> Iterator[Mutation]:
    """A dense layer's weight for an image that was flattened in another order."""
    for item in graph.of("dense"):
        maker = graph.maker(item.inputs[0])
        while maker is not None and maker.kind in ("identity", "transpose"):
            maker = graph.maker(maker.inputs[0])
        shape = graph.shapes[maker.inputs[0]] if maker and maker.kind == "reshape" else ()
        weight = item.parameters["weight"]
        if len(shape) != 4 or max(shape[1:]) == weight.shape[1]:
            continue
        if shape[1] * shape[2] * shape[3] == weight.shape[1]:
            order = (0, 2, 3, 1) if graph.layout == "NCHW" else (0, 3, 1, 2)
            moved = weight.reshape(-1, *shape[1:]).transpose(order).reshape(weight.shape)
            yield _weight(item, moved.copy())


def sides_swapped(graph: Graph) -> Iterator[Mutation]:
    """Height and width of a kernel swapped."""
    for item in graph.of("convolution"):
        weight = item.parameters["weight"]
        if weight.shape[2] == weight.shape[3] > 1:
            yield _weight(item, weight.swapaxes(2, 3).copy())


def concat_axis(graph: Graph) -> Iterator[Mutation]:
    """Tensors of one shape, joined along another axis or in another order."""
    for item in graph.of("concat"):
        shapes = {graph.shapes[name] for name in item.inputs}
        if len(shapes) != 1 or len(item.inputs) < 2:
            continue
        axis = item.attributes["axis"]
        if axis in ("H", "W"):
            other = SetAttribute(item.name, "axis", "W" if axis == "H" else "H")
            yield Mutation((other,), (item.name,), "axis", axis)
        edits: tuple[Edit, ...] = tuple(
            Reconnect(item.name, place, tensor) for place, tensor in enumerate(item.inputs[::-1])
        )
        yield Mutation(edits, (item.name,), "inputs", list(item.inputs), also=("graph",))


def missing_transpose(graph: Graph) -> Iterator[Mutation]:
    """A transpose left out where the shape is the same without it."""
    for item in graph.of("transpose"):
        permutation = item.attributes["permutation"]
        same = graph.shapes[item.inputs[0]] == graph.shapes[item.outputs[0]]
        if same and list(permutation) != sorted(permutation):
            yield Mutation((Bypass(item.name),), (item.name,), "permutation", plain(permutation))


def group_order(graph: Graph) -> Iterator[Mutation]:
    """The filters of a grouped or depthwise convolution in another order."""
    import numpy as np

    for item in graph.of("convolution"):
        groups, weight = item.attributes.get("groups", 1), item.parameters["weight"]
        if groups == 1:
            continue
        each = weight.shape[0] // groups
        if each == 1:
            yield _weight(item, np.roll(weight, 1, axis=0))
        else:
            apart = weight.reshape(groups, each, *weight.shape[1:])
            yield _weight(item, apart.swapaxes(0, 1).reshape(weight.shape).copy())


def strided_read(graph: Graph) -> Iterator[Mutation]:
    """A constant that is stored with strides, read as if it had none."""
    for item in graph.of("convolution", "dense"):
        weight = item.parameters["weight"]
        if min(weight.shape[:2]) > 1:
            order = (1, 0) if weight.ndim == 2 else (2, 3, 1, 0)
            yield _weight(item, weight.transpose(order).reshape(weight.shape).copy())


FOUND = {
    "flatten_order": flatten_order,
    "sides_swapped": sides_swapped,
    "concat_axis": concat_axis,
    "missing_transpose": missing_transpose,
    "group_order": group_order,
    "strided_read": strided_read,
}
