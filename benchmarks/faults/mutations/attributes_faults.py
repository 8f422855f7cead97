"""Faults of attributes: the right operator, told otherwise what to do."""

from collections.abc import Iterator

from deltann.edits import Insert, SetAttribute
from deltann.steps import Operator
from mutations import Graph, Mutation, activations, set_activation

POOLS = ("max_pool", "average_pool")


def _set(item: Operator, attribute: str, value: object, right: object) -> Mutation:
    return Mutation((SetAttribute(item.name, attribute, value),), (item.name,), attribute, right)


def same_upper_lower(graph: Graph) -> Iterator[Mutation]:
    """Padding that isn't the same at both ends, put at the other ends."""
    for item in graph.of("convolution", "pad", *POOLS):
        pads = list(item.attributes.get("pads", ()))
        if len(pads) == 4 and pads[:2] != pads[2:]:
            yield _set(item, "pads", pads[2:] + pads[:2], pads)


def _rests(graph: Graph, item: Operator) -> list[int]:
    """How many rows and columns at the end no window of a convolution reaches."""
    shape = graph.shapes[item.inputs[0]]
    pads, kernel = item.attributes["pads"], item.parameters["weight"].shape[2:]
    rests = []
    for place, axis in enumerate("HW"):
        reach = item.attributes["dilations"][place] * (kernel[place] - 1) + 1
        room = shape[graph.side(axis)] + pads[place] + pads[place + 2] - reach
        rests.append(room % item.attributes["strides"][place])
    return rests


def symmetric_stride_2(graph: Graph) -> Iterator[Mutation]:
    """SAME's padding at stride 2, where the source pads both ends alike."""
    for item in graph.of("convolution"):
        pads = list(item.attributes["pads"])
        if list(item.attributes["strides"]) != [2, 2] or pads[:2] != pads[2:] or min(pads) < 1:
            continue
        if _rests(graph, item) == [1, 1]:
            yield _set(item, "pads", [pads[0] - 1, pads[1] - 1, *pads[2:]], pads)


def dilation(graph: Graph) -> Iterator[Mutation]:
    """A dilated kernel, or one that should be; padded so that the size stays."""
    for item in graph.of("convolution"):
        kernel, dilations = item.parameters["weight"].shape[2:], list(item.attributes["dilations"])
        pads = list(item.attributes["pads"])
        if kernel[0] != kernel[1] or kernel[0] not in (3, 5) or dilations not in ([1, 1], [2, 2]):
            continue
        more = kernel[0] // 2 if dilations == [1, 1] else -(kernel[0] // 2)
        if len(pads) != 4 or min(pads) + more < 0:
            continue
        edits = (
            SetAttribute(item.name, "dilations", [2, 2] if more > 0 else [1, 1]),
            SetAttribute(item.name, "pads", [side + more for side in pads]),
        )
        yield Mutation(edits, (item.name,), "dilations", dilations)


def groups(graph: Graph) -> Iterator[Mutation]:
    """A grouped convolution as one group, each filter repeated."""
    import numpy as np

    from deltann.edits import SetParameter

    for item in graph.of("convolution"):
        count = item.attributes.get("groups", 1)
        if count > 1:
            weight = np.tile(item.parameters["weight"], (1, count, 1, 1)) / np.float32(count)
            edits = (
                SetAttribute(item.name, "groups", 1),
                SetParameter(item.name, "weight", weight),
            )
            yield Mutation(edits, (item.name,), "groups", count)


def epsilon(graph: Graph) -> Iterator[Mutation]:
    """Another framework's default for a batch norm's epsilon."""
    for item in graph.of("batch_norm"):
        right = item.attributes["epsilon"]
        yield _set(item, "epsilon", 1e-3 if right < 1e-4 else 1e-5, right)


def count_include_pad(graph: Graph) -> Iterator[Mutation]:
    """An average over the padding too, or without it."""
    for item in graph.of("average_pool"):
        if any(item.attributes.get("pads", ())):
            right = item.attributes.get("count_include_pad", False)
            yield _set(item, "count_include_pad", not right, right)


def ceil_mode(graph: Graph) -> Iterator[Mutation]:
    """A pool that rounds its size up, or down."""
    for item in graph.of(*POOLS):
        right = item.attributes.get("ceil_mode", False)
        yield _set(item, "ceil_mode", not right, right)


def max_pool_zero(graph: Graph) -> Iterator[Mutation]:
    """A maximum over padding of zeros, where padding should lose against every number."""
    for item in graph.of("max_pool"):
        pads = list(item.attributes.get("pads", ()))
        if any(pads) and graph.alone(item.inputs[0]):
            edits = (
                Insert(item.inputs[0], "pad", {"pads": pads, "value": 0.0, "mode": "constant"}),
                SetAttribute(item.name, "pads", [0, 0, 0, 0]),
            )
            yield Mutation(edits, (item.name,), "pads", pads)


def resize_mode(graph: Graph) -> Iterator[Mutation]:
    """Nearest in place of linear, and the other way; or other coordinates."""
    for item in graph.of("resize"):
        right = item.attributes["mode"]
        yield _set(item, "mode", "linear" if right == "nearest" else "nearest", right)
        right = item.attributes["coordinates"]
        other = "asymmetric" if right != "asymmetric" else "half_pixel"
        yield _set(item, "coordinates", other, right)
        if right != "align_corners":
            yield _set(item, "coordinates", "align_corners", right)


def nearest_rounding(graph: Graph) -> Iterator[Mutation]:
    """Another neighbour of a place between two."""
    for item in graph.of("resize"):
        if item.attributes["mode"] == "nearest":
            right = item.attributes.get("rounding", "floor")
            for other in ("ceil", "round_prefer_ceil", "floor"):
                if other != right:
                    yield _set(item, "rounding", other, right)


def slope(graph: Graph) -> Iterator[Mutation]:
    """Another slope of a leaky ReLU."""
    for item, described in activations(graph):
        if described["kind"] == "leaky_relu":
            right = described["slope"]
            edit = set_activation(item, "slope", 0.3 if right < 0.15 else 0.01)
            yield Mutation((edit,), (item.name,), "slope", right, also=("activation",))


FOUND = {
    "same_upper_lower": same_upper_lower,
    "symmetric_stride_2": symmetric_stride_2,
    "dilation": dilation,
    "groups": groups,
    "epsilon": epsilon,
    "count_include_pad": count_include_pad,
    "ceil_mode": ceil_mode,
    "max_pool_zero": max_pool_zero,
    "resize_mode": resize_mode,
    "nearest_rounding": nearest_rounding,
    "slope": slope,
}
