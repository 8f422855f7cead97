"""Operators of a segment in a form in which two formats' segments can be compared.

An activation that runs together with its operator is a part of its own, a padding belongs to the
convolution behind it, a constant that is added behind a convolution is its bias, and, if need be, a
batch norm is folded into the convolution before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deltann.steps import Operator

WEIGHTED = ("convolution", "transposed_convolution", "dense")
PADDED = ("convolution", "max_pool", "average_pool")
# A max pool that is padded with less than this is padded with nothing.
LOWEST = -1e30
SILENT = ("identity", "cast", "transpose", "reshape")
DEFAULTS: dict[str, Any] = {
    "strides": [1, 1],
    "dilations": [1, 1],
    "groups": 1,
    "pads": [0, 0, 0, 0],
    "training": False,
    "ceil_mode": False,
    "count_include_pad": False,
    "constant_first": False,
    "antialias": False,
    "value": 0,
    "mode": "constant",
    "transpose_a": False,
    "transpose_b": False,
    "output_padding": [0, 0],
    "approximate": "none",
    "min": None,
    "max": None,
    "keepdims": True,
}


@dataclass(frozen=True)
class Part:
    """One thing that a segment does.

    Attributes:
        kind: of `steps.KINDS`.
        attributes: without `activation`.
        parameters: float64.
        operators: those that it comes from, the one that it is named after first.
        fused: whether it is the activation of an operator of another kind.
        places: by parameter, the operator's name and parameter that holds it alone; a parameter
            that was computed from several has none.
    """

    kind: str
    attributes: dict[str, Any]
    parameters: dict[str, np.ndarray]
    operators: tuple[Operator, ...]
    fused: bool = False
    places: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The operator's."""
        return self.operators[0].name

    def attribute(self, key: str) -> Any:
        """An attribute or its default."""
        return self.attributes.get(key, DEFAULTS.get(key))


def parts(operators: Sequence[Operator], fold: bool = False) -> list[Part]:
    """What operators in running order do.

    Args:
        operators: of a segment.
        fold: whether batch norms are folded too.
    """
    found: list[Part] = []
    for operator in operators:
        if operator.kind not in SILENT:
            found = _joined(found, _part(operator), fold)
        if operator.activation:
            attributes = dict(operator.activation)
            kind = attributes.pop("kind")
            found.append(Part(kind, attributes, {}, (operator,), fused=True))
    return found


def moves(operators: Sequence[Operator]) -> list[Operator]:
    """The transposes among operators."""
    return [operator for operator in operators if operator.kind == "transpose"]


def _part(operator: Operator) -> Part:
    attributes = {key: value for key, value in operator.attributes.items() if key != "activation"}
    numbers = {key: np.asarray(value, np.float64) for key, value in operator.parameters.items()}
    places = {key: (operator.name, key) for key in numbers}
    return Part(operator.kind, attributes, numbers, (operator,), places=places)


def _joined(before: list[Part], part: Part, fold: bool) -> list[Part]:
    """The parts so far and a new one, which may belong to one of them."""
    last = next((item for item in reversed(before) if _feeds(item, part)), None)
    merged = None
    if last is not None and not last.fused:
        if last.kind == "pad" and part.kind in PADDED:
            merged = _padded(last, part)
        elif last.kind in WEIGHTED and part.kind in ("add", "subtract"):
            merged = _biased(last, part)
        elif fold and last.kind in WEIGHTED and part.kind == "batch_norm":
            merged = _normed(last, part)
        elif fold and last.kind in WEIGHTED and part.kind in ("multiply", "divide"):
            merged = _scaled(last, part)
    if merged is None:
        return [*before, part]
    return [merged if item is last else item for item in before]


def _feeds(one: Part, other: Part) -> bool:
    written = {name for operator in one.operators for name in operator.outputs}
    return bool(written.intersection(other.operators[0].inputs))


def _padded(pad: Part, part: Part) -> Part | None:
    if pad.attribute("mode") != "constant" or "pads" not in pad.attributes:
        return None
    if part.kind != "max_pool" and pad.attribute("value") != 0:
        return None
    if part.kind == "average_pool" and any(part.attribute("pads")):
        return None
    pads = [a + b for a, b in zip(pad.attribute("pads"), part.attribute("pads"), strict=True)]
    changed: dict[str, Any] = {"pads": pads}
    if part.kind == "average_pool":
        changed["count_include_pad"] = True
    if part.kind == "max_pool" and pad.attribute("value") > LOWEST:
        changed["padded_with"] = pad.attribute("value")
    return replace(
        part, attributes=part.attributes | changed, operators=part.operators + pad.operators
    )


def _channels(part: Part) -> int:
    axis = 1 if part.kind == "transposed_convolution" else 0
    groups = part.attribute("groups") if part.kind == "transposed_convolution" else 1
    return part.parameters["weight"].shape[axis] * (groups or 1)


def _biased(part: Part, add: Part) -> Part | None:
    operand = add.parameters.get("operand")
    if operand is None or "weight" not in part.parameters:
        return None
    if add.kind == "subtract" and add.attribute("constant_first"):
        return None
    channels = _channels(part)
    if operand.shape not in ((channels,), ()):
        return None
    shift = np.broadcast_to(-operand if add.kind == "subtract" else operand, (channels,))
    bias = part.parameters.get("bias")
    places = {key: place for key, place in part.places.items() if key != "bias"}
    if bias is None and add.kind == "add" and operand.shape == (channels,):
        places["bias"] = (add.name, "operand")
    return replace(
        part,
        parameters=part.parameters | {"bias": shift + (0 if bias is None else bias)},
        operators=part.operators + add.operators,
        places=places,
    )


def _normed(part: Part, norm: Part) -> Part | None:
    numbers = norm.parameters
    if norm.attribute("training") or not {"mean", "variance"} <= set(numbers):
        return None
    channels = _channels(part)
    if numbers["mean"].shape != (channels,):
        return None
    factor = numbers.get("scale", np.ones(channels)) / np.sqrt(
        numbers["variance"] + float(norm.attributes.get("epsilon", 0))
    )
    bias = part.parameters.get("bias", np.zeros(channels))
    shift = numbers.get("shift", np.zeros(channels))
    return _affine(part, norm, factor, (bias - numbers["mean"]) * factor + shift)


def _scaled(part: Part, multiply: Part) -> Part | None:
    operand = multiply.parameters.get("operand")
    channels = _channels(part)
    if operand is None or operand.shape not in ((channels,), ()):
        return None
    if multiply.kind == "divide" and multiply.attribute("constant_first"):
        return None
    factor = np.broadcast_to(1 / operand if multiply.kind == "divide" else operand, (channels,))
    bias = part.parameters.get("bias")
    return _affine(part, multiply, factor, None if bias is None else bias * factor)


def _affine(part: Part, behind: Part, factor: np.ndarray, bias: np.ndarray | None) -> Part:
    weight = part.parameters["weight"]
    if part.kind == "transposed_convolution":
        groups = part.attribute("groups") or 1
        per_group = factor.reshape(groups, -1).repeat(weight.shape[0] // groups, axis=0)
        scaled = weight * per_group[:, :, None, None]
    else:
        scaled = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
    numbers = part.parameters | {"weight": scaled} | ({} if bias is None else {"bias": bias})
    return replace(part, parameters=numbers, operators=part.operators + behind.operators, places={})
