"""Operators on single numbers, written as ONNX has them; decomposed where an opset lacks them."""

import math
from typing import Any

from deltann.edits import Impossible
from deltann.formats.onnx_steps_elementwise import BINARY, PLAIN
from deltann.formats.onnx_write import Site

OP_TYPES = {kind: op_type for op_type, kind in {**PLAIN, **BINARY}.items() if op_type != "Sum"}
# The attributes with one real number: ONNX's operator and name.
NUMBERS = {
    "leaky_relu": ("LeakyRelu", {"slope": "alpha"}),
    "elu": ("Elu", {"alpha": "alpha"}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": "alpha", "beta": "beta"}),
}
DEFAULTS = {"slope": 0.01, "alpha": 1.0, "beta": 0.5}


def clip(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Relu if it is one, else Clip: its limits are attributes before opset 11."""
    limits = [attributes.get("min"), attributes.get("max")]
    if limits[0] == 0 and limits[1] is None:
        site.become("Relu")
    else:  # without limits too: a later edit may set one
        site.become("Clip")
        for position, side in enumerate(("min", "max"), 1):
            value = limits[position - 1]
            if site.opset < 11:
                site.set(side, None if value is None else float(value))
            elif value is None:
                site.put(position, "")
            elif side in changed or len(site.node.input) <= position:
                site.give(position, site.real(value), side)
    site.draft.changed()


def number(kind: str, site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Operators with numbers as attributes."""
    op_type, names = NUMBERS[kind]
    site.become(op_type)
    for name in sorted(changed & names.keys()):
        default = 0.2 if kind == "hard_sigmoid" and name == "alpha" else DEFAULTS[name]
        site.set(names[name], float(attributes.get(name, default)))
    site.draft.changed()


def gelu(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Gelu; ONNX Runtime's own operators, where the file has them; else its formula."""
    approximate = attributes.get("approximate", "none")
    if site.node.domain == "com.microsoft":
        site.node.op_type = "FastGelu" if approximate == "tanh" else "Gelu"
        site.draft.changed()
    elif site.opset >= 20:
        site.become("Gelu")
        site.set("approximate", approximate)
        site.draft.changed()
    elif approximate == "tanh":
        _gelu_by_tanh(site)
    else:
        scaled = _chain(site, site.node.input[0], ("Mul", math.sqrt(0.5)), ("Erf", None))
        shifted = _chain(site, scaled, ("Add", 1.0), ("Mul", 0.5))
        _finish(site, "Mul", shifted)


def _gelu_by_tanh(site: Site) -> None:
    """x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x³))) / 2."""
    x = site.node.input[0]
    square = _node(site, "Mul", [x, x])
    factor = _chain(site, square, ("Mul", 0.044715), ("Add", 1.0), ("Mul", math.sqrt(2 / math.pi)))
    inner = _node(site, "Mul", [factor, x])
    _finish(site, "Mul", _chain(site, inner, ("Tanh", None), ("Add", 1.0), ("Mul", 0.5)))


def swish(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """x * sigmoid(x)."""
    _finish(site, "Mul", _node(site, "Sigmoid", [site.node.input[0]]))


def plain(kind: str, site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Operators without attributes; HardSwish is new in opset 14."""
    if kind == "hard_swish" and site.opset < 14:
        gate = _node(site, "HardSigmoid", [site.node.input[0]], alpha=1 / 6, beta=0.5)
        _finish(site, "Mul", gate)
        return
    site.become({"identity": "Identity", **OP_TYPES}[kind])
    site.draft.changed()


def _node(site: Site, op_type: str, inputs: list[str], **attributes: Any) -> str:
    """Add a node of a formula; its output."""
    output = site.draft.fresh(f"{site.node.name}_{op_type.lower()}")
    site.draft.add(op_type, inputs, output, **attributes)
    return output


def _chain(site: Site, tensor: str, *steps: tuple[str, float | None]) -> str:
    """Add nodes behind each other, with a constant second side each; the last output."""
    for op_type, value in steps:
        sides = [tensor]
        if value is not None:
            sides.append(site.draft.constant(site.real(value), f"{site.node.name}_constant"))
        tensor = _node(site, op_type, sides)
    return tensor


def _finish(site: Site, op_type: str, other: str) -> None:
    """Make the node the last of a formula, of its first input and another tensor."""
    site.become(op_type)
    site.put(1, other)


def softmax(kind: str, site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Softmax and LogSoftmax; before opset 13 all axes from `axis` on are one."""
    site.become("Softmax" if kind == "softmax" else "LogSoftmax")
    axis = site.axis(attributes.get("axis", len(site.shape) - 1)) % len(site.shape)
    if site.opset < 13 and any(side > 1 for side in site.shape[axis + 1 :]):
        site.need_opset(13, f"axis {axis} alone")
    site.set("axis", axis)
    site.draft.changed()


def binary(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """The order of the sides."""
    view, node = site.draft.view, site.node
    constant = [name not in view.depending for name in node.input]
    if len(node.input) != 2 or not any(constant):
        raise Impossible(f"{node.name!r} has no constant side")
    if constant[0] != bool(attributes.get("constant_first", False)):
        node.input[:] = [node.input[1], node.input[0]]
        site.draft.changed()


def cast(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Cast."""
    from onnx import TensorProto

    names = {"float32": "FLOAT", "float64": "DOUBLE"}
    dtype = attributes["dtype"]
    site.become("Cast")
    site.set("to", TensorProto.DataType.Value(names.get(dtype, dtype.upper())))
    site.draft.changed()


def quantize(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """QuantizeLinear and DequantizeLinear."""
    site.need_opset(13, "axis")
    site.set("axis", site.axis(attributes["axis"]))
    site.draft.changed()
