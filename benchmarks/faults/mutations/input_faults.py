"""Faults of the input: what the model does to its image, or what is done to it before."""

from collections.abc import Iterator

from deltann.edits import Insert, SetParameter
from deltann.steps import Operator
from mutations import Graph, Mutation


def _first(graph: Graph) -> Operator | None:
    """The convolution that the image goes into, behind operators that only move or pad it."""
    tensor = graph.input
    while readers := graph.readers(tensor):
        if readers[0].kind == "convolution":
            return readers[0]
        if readers[0].kind not in ("pad", "identity", "transpose"):
            return None
        tensor = readers[0].outputs[0]
    return None


def channels_reversed(graph: Graph) -> Iterator[Mutation]:
    """RGB in place of BGR."""
    first = _first(graph)
    if first is None or first.parameters["weight"].shape[1] != 3:
        return
    weight = first.parameters["weight"]
    edit = SetParameter(first.name, "weight", weight[:, ::-1].copy())
    yield Mutation((edit,), (first.name,), "weight", "channels of the image in their order")


def normalisation(graph: Graph) -> Iterator[Mutation]:
    """Another mean, or another standard deviation."""
    import numpy as np

    first = graph.readers(graph.input)[0].name
    mean, scale = np.float32([0.3, -0.2, 0.25]), np.float32([1.3, 0.8, 1.2])
    for kind, operand in (("add", mean), ("multiply", scale)):
        edit = Insert(graph.input, kind, parameters={"operand": operand})
        yield Mutation((edit,), (first,), "operand", "no such operator")


def value_range(graph: Graph) -> Iterator[Mutation]:
    """0 to 255 in place of 0 to 1."""
    import numpy as np

    first = graph.readers(graph.input)[0].name
    edit = Insert(graph.input, "multiply", parameters={"operand": np.float32(255)})
    yield Mutation((edit,), (first,), "operand", "no such operator")


def antialias(graph: Graph) -> Iterator[Mutation]:
    """The converted model's images are resized without antialiasing."""
    yield Mutation((), (), "antialias", True, False, "no_antialias")


def crop(graph: Graph) -> Iterator[Mutation]:
    """The converted model's images are cut elsewhere."""
    yield Mutation((), (), "crop", "the source's place", False, "shifted")


FOUND = {
    "channels_reversed": channels_reversed,
    "normalisation": normalisation,
    "value_range": value_range,
    "antialias": antialias,
    "crop": crop,
}
