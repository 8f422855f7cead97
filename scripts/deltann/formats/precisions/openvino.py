"""What an OpenVINO model computes in: by its graph, and by what the CPU runtime made of it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltann.formats import openvino_ir
from deltann.formats.openvino_ir import MOVES, dtype
from deltann.formats.tensor_types import whole
from deltann.precision import BYTES, OTHER, REAL, of_operator

# Their first two operands are multiplied: ScaledDotProductAttention has query and key there.
OPERATORS = (
    *("Convolution", "GroupConvolution", "ConvolutionBackpropData"),
    *("GroupConvolutionBackpropData", "MatMul", "ScaledDotProductAttention"),
)
# What the runtime calls the nodes that run them.
KERNELS = ("Convolution", "Deconvolution", "FullyConnected", "MatMul", "ScaledDotProductAttention")
# What a runtime's node may do after such an operator, and be called by.
FUSED = ("Add", "Multiply", "Convert", "FakeQuantize")
HALVES = {"bf16": "bfloat16", "f16": "float16"}
# Operators with which ONNX's DynamicQuantizeLinear becomes whole numbers, behind the division.
ROUNDING = ("Clamp", "Add", "Subtract", "Round", "Convert")


@dataclass(frozen=True)
class Operand:
    """What the numbers of an operand are rounded to.

    Attributes:
        dtype: the type, as NumPy names it.
        dynamic: whether by a scale that is found at run time.
        origin: the type of the operator that they are from.
    """

    dtype: str
    dynamic: bool = False
    origin: str = ""


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`."""
    return dict(Counter(map(precision, nodes(openvino_ir.read(model_file)))))


def nodes(model: Any) -> list[Any]:
    """The convolutions and matrix products of an `openvino.Model`."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in OPERATORS]


def precision(node: Any) -> str:
    """The precision of one of `operators` as the graph has it."""
    activations, weights = operand(node.input_value(0)), operand(node.input_value(1))
    if activations.origin == "Constant":
        activations, weights = weights, activations
    given = activations.origin == "Parameter" and activations.dtype in BYTES
    if given and weights.dtype in REAL:  # 8-bit pixels: the model rounds nothing
        return of_operator(weights.dtype, weights.dtype)
    return of_operator(activations.dtype, weights.dtype, activations.dynamic)


def operand(value: Any) -> Operand:
    """What the numbers of an `openvino.Output` are rounded to."""
    while True:
        node = value.get_node()
        kind = node.get_type_name()
        if kind == "FakeQuantize" and node.get_attributes()["levels"] <= 1 << 16:
            bits = 8 if node.get_attributes()["levels"] <= 1 << 8 else 16
            return Operand(f"int{bits}", not _fixed(node.input_value(1)), kind)
        if kind == "Constant":
            return Operand(_smallest(node), False, kind)
        if kind == "Convert" and _bits(value) < _bits(node.input_value(0)):
            rounded = whole(dtype(value))
            return Operand(dtype(value), rounded and _dynamic(node.input_value(0)), kind)
        if kind not in (*MOVES, "Convert") and not _dequantizes(node):
            return Operand(dtype(value), False, kind)
        value = node.input_value(0)


def _bits(value: Any) -> int:
    return value.get_element_type().bitwidth


def _smallest(node: Any) -> str:
    """The type of a constant: of whole numbers in 32 bits, the smallest that has room for them."""
    import numpy as np

    kind = dtype(node.output(0))
    if not whole(kind) or _bits(node.output(0)) <= 8:
        return kind
    numbers = node.get_data()
    low, high = (numbers.min(), numbers.max()) if numbers.size else (0, 0)
    fitting = ("int8", "uint8", "int16", "uint16")
    return next((n for n in fitting if np.iinfo(n).min <= low and high <= np.iinfo(n).max), kind)


def _dequantizes(node: Any) -> bool:
    """Whether all that a node does is to scale and shift whole numbers."""
    while node.get_type_name() in ("Multiply", "Subtract", "Convert"):
        value = node.input_value(0)
        if whole(dtype(value)):
            return True
        node = value.get_node()
    return False


def _dynamic(value: Any) -> bool:
    """Whether the scale of numbers that become whole ones is found at run time."""
    node = value.get_node()
    while node.get_type_name() in ROUNDING:
        node = node.input_value(0).get_node()
    scales = node.get_type_name() in ("Divide", "Multiply")
    return scales and not _fixed(node.input_value(1))


def _fixed(value: Any) -> bool:
    """Whether a value is the same for all images."""
    waiting, seen = [value.get_node()], set()
    while waiting:
        node = waiting.pop()
        if node.get_type_name() == "Parameter":
            return False
        if node.get_friendly_name() not in seen:
            seen.add(node.get_friendly_name())
            waiting += [item.get_node() for item in node.input_values()]
    return True


@dataclass(frozen=True)
class Executed:
    """How the runtime runs a convolution or matrix product.

    Attributes:
        precision: what it computes in.
        may_round: whether its activations, which are float32, may be rounded to 8 bits before.
    """

    precision: str
    may_round: bool


def executed(model: Any, compiled: Any) -> list[Executed]:
    """How a compiled model runs each convolution and matrix product.

    What runs on bfloat16 or float16 counts as that. All else multiplies the numbers of the file;
    it makes no difference whether 8 bits are multiplied as whole numbers or as float32.

    Args:
        model: the `openvino.Model`.
        compiled: the `openvino.CompiledModel` made of it.

    Returns:
        One item for each operator but those that OpenVINO calculates in advance; `other` for one
        that the runtime's nodes don't name.
    """
    facts_of, found = running(compiled), []
    for node in nodes(model):
        facts = _running(node, facts_of)
        if facts:
            stored = facts["runtimePrecision"] in ("i8", "u8")
            found.append(Executed(_computed(node, facts), stored and _kernel(facts) == "f32"))
        elif not _fixed(node.output(0)):
            found.append(Executed(OTHER, False))
    return found


def _computed(node: Any, facts: dict[str, str]) -> str:
    """What an operator computes in, by what the runtime tells about the node that runs it."""
    stored, kernel = precision(node), _kernel(facts)
    if kernel == "f32" and stored in HALVES.values():  # the weights are still rounded
        return f"{stored}-weights"
    return HALVES.get(kernel, stored)


def _kernel(facts: dict[str, str]) -> str:
    return facts["primitiveType"].split("_")[-1].lower()


def _running(node: Any, nodes: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """What runs an operator: a node that names it, or something that is fused with it."""
    name = node.get_friendly_name()
    if name in nodes:
        return nodes[name]
    while True:
        for known in (name, f"{name}/DequantizationMultiply"):
            if known in nodes and nodes[known]["layerType"] in KERNELS:
                return nodes[known]
        readers = [port.get_node() for port in node.output(0).get_target_inputs()]
        if len(readers) != 1 or readers[0].get_type_name() not in FUSED:
            return None
        node = readers[0]
        name = node.get_friendly_name()


def running(compiled: Any) -> dict[str, dict[str, str]]:
    """What the runtime tells about its nodes, by the name of each node of the model in them.

    Of nodes with the same name those of `KERNELS` come first.
    """
    found: dict[str, dict[str, str]] = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        facts = {key: _text(value) for key, value in node.get_rt_info().items()}
        for name in facts["originalLayersNames"].split(","):
            if name not in found or found[name]["layerType"] not in KERNELS:
                found[name] = facts
    return found


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))
