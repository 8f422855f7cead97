"""Faults of parameters: other numbers in the weights."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deltann.edits import Bypass, SetParameter
from deltann.steps import Operator
from mutations import Graph, Mutation, plain

if TYPE_CHECKING:
    import numpy as np

WEIGHTED = ("convolution", "dense")


def channels_swapped(graph: Graph) -> Iterator[Mutation]:
    """Two output channels of a weight swapped."""
    for item in graph.of(*WEIGHTED):
        weight = item.parameters["weight"].copy()
        if len(weight) > 1:
            one, other = 0, len(weight) // 2
            weight[[one, other]] = weight[[other, one]]
            edit = SetParameter(item.name, "weight", weight)
            yield Mutation((edit,), (item.name,), "weight", f"channels {one} and {other} swapped")


def bias_dropped(graph: Graph) -> Iterator[Mutation]:
    """A bias of zeros."""
    for item in graph.of(*WEIGHTED):
        bias = item.parameters.get("bias")
        if bias is not None and bias.any():
            edit = SetParameter(item.name, "bias", 0 * bias)
            yield Mutation((edit,), (item.name,), "bias", plain(bias))


def float16(graph: Graph) -> Iterator[Mutation]:
    """A weight rounded to float16."""
    import numpy as np

    for item in graph.of(*WEIGHTED):
        weight = item.parameters["weight"].astype(np.float16).astype(np.float32)
        edit = SetParameter(item.name, "weight", weight)
        yield Mutation((edit,), (item.name,), "weight", "not rounded", also=("precision",))


def per_tensor_scale(graph: Graph) -> Iterator[Mutation]:
    """A weight rounded to 8 bits with one scale for all channels."""
    import numpy as np

    for item in graph.of(*WEIGHTED):
        weight = item.parameters["weight"]
        scale = np.abs(weight).max() / np.float32(127)
        edit = SetParameter(item.name, "weight", np.round(weight / scale) * scale)
        yield Mutation((edit,), (item.name,), "weight", "not rounded", also=("precision",))


def pairs(graph: Graph) -> Iterator[tuple[Operator, Operator]]:
    """Convolutions that a batch norm follows."""
    for norm in graph.of("batch_norm"):
        before = graph.maker(norm.inputs[0])
        if before is None or before.kind != "convolution" or before.activation:
            continue
        if graph.alone(norm.inputs[0]):
            yield before, norm


def folded(before: Operator, norm: Operator, epsilon: float) -> "tuple[np.ndarray, np.ndarray]":
    """Weight and bias of a convolution with a batch norm folded in."""
    import numpy as np

    scale, shift, mean, variance = (
        norm.parameters[name].astype(np.float64) for name in ("scale", "shift", "mean", "variance")
    )
    factor = scale / np.sqrt(variance + epsilon)
    weight = before.parameters["weight"] * factor[:, None, None, None]
    bias = (before.parameters.get("bias", np.zeros(1)) - mean) * factor + shift
    return weight.astype(np.float32), bias.astype(np.float32)


def folded_twice(graph: Graph) -> Iterator[Mutation]:
    """A batch norm folded into the convolution before it, and applied again."""
    for before, norm in pairs(graph):
        weight, bias = folded(before, norm, norm.attributes["epsilon"])
        edits = (
            SetParameter(before.name, "weight", weight),
            SetParameter(before.name, "bias", bias),
        )
        yield Mutation(edits, (before.name, norm.name), "weight", "not folded")


def folded_without_epsilon(graph: Graph) -> Iterator[Mutation]:
    """A batch norm folded as if its epsilon were 0."""
    for before, norm in pairs(graph):
        weight, bias = folded(before, norm, 0.0)
        edits = (
            SetParameter(before.name, "weight", weight),
            SetParameter(before.name, "bias", bias),
            Bypass(norm.name),
        )
        yield Mutation(edits, (before.name,), "weight", "folded with epsilon")


FOUND = {
    "channels_swapped": channels_swapped,
    "bias_dropped": bias_dropped,
    "float16": float16,
    "per_tensor_scale": per_tensor_scale,
    "folded_twice": folded_twice,
    "folded_without_epsilon": folded_without_epsilon,
}
