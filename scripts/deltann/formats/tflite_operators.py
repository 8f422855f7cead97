"""The operators of a TFLite file in the words of `deltann.steps`.

Two things that its words leave open: `lrn` has ONNX's alpha, which is divided by the size. What is
`other` has the schema's options as attributes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deltann.formats import tflite_shapes as shaping
from deltann.formats.tflite_cut import fixed
from deltann.formats.tflite_file import TfliteFile
from deltann.formats.tflite_node import BIASES, WEIGHTS, Node, letter, letters
from deltann.formats.tflite_windows import SAME, same_pads, transposed_pads
from deltann.steps import Operator

# What an operator is: its kind, attributes and parameters.
Words = tuple[str, dict[str, Any], dict[str, Any]]
SIMPLE = {
    "LOGISTIC": "sigmoid",
    "TANH": "tanh",
    "HARD_SWISH": "hard_swish",
    "EXP": "exp",
    "SQRT": "sqrt",
    "ABS": "abs",
    "NEG": "negative",
}
CLIPS = {"RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1), "RELU_0_TO_1": (0, 1)}
BINARY = {
    "ADD": "add",
    "SUB": "subtract",
    "MUL": "multiply",
    "DIV": "divide",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "POW": "power",
}
POWERS = {"SQUARE": 2.0, "RSQRT": -0.5}
REDUCTIONS = {
    "MEAN": "mean",
    "SUM": "sum",
    "REDUCE_MAX": "max",
    "REDUCE_MIN": "min",
    "REDUCE_PROD": "prod",
}


@dataclass(frozen=True)
class Described:
    """An operator in both ways.

    Attributes:
        operator: in the words of `deltann.steps`.
        node: in the file.
        places: where, among the operator's tensors in the file, `operator.inputs` are.
    """

    operator: Operator
    node: Node
    places: tuple[int, ...]


def describe(file: TfliteFile) -> list[Described]:
    """The operators of a settled file that depend on its input and lead to its output, in order."""
    still = frozenset(fixed(file))
    leading, reached = set(file.graph.outputs[:1]), []
    for place, item in reversed([*enumerate(file.graph.operators)]):
        if leading & set(item.outputs):
            leading |= set(item.inputs)
            reached.append((place, Node(file, item, still)))
    return [
        _described(place, node)
        for place, node in reversed(reached)
        if not still.issuperset(node.operator.outputs)
    ]


def _described(place: int, node: Node) -> Described:
    kind, attributes, parameters = words(node)
    moving, names = node.moving(), node.file.names
    operator = Operator(
        name=f"{node.native}_{place}",
        native=node.native,
        kind=kind,
        inputs=tuple(names[node.operator.inputs[item]] for item in moving),
        outputs=tuple(names[index] for index in node.operator.outputs),
        attributes=attributes | node.activation(),
        parameters=parameters,
    )
    return Described(operator, node, tuple(moving))


def words(node: Node) -> Words:
    """What an operator is."""
    reader = READERS.get(node.native)
    return (reader(node) if reader else None) or _other(node)


def _other(node: Node) -> Words:
    options = node.operator.builtinOptions or node.operator.builtinOptions2
    plain = {
        name: value
        for name, value in (vars(options) if options else {}).items()
        if isinstance(value, bool | int | float) and name != "fusedActivationFunction"
    }
    constants = {
        f"input{place}": value
        for place in range(len(node.operator.inputs))
        if (value := node.constant(place)) is not None
    }
    return "other", plain, constants


def _window(node: Node, kernel: list[int]) -> dict[str, Any]:
    strides = [node.option("strideH"), node.option("strideW")]
    dilations = [1, 1]
    if node.native in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        dilations = [node.option("dilationHFactor"), node.option("dilationWFactor")]
    pads = [0, 0, 0, 0]
    if node.option("padding") == SAME:
        pads = same_pads(node.shape(0)[1:3], kernel, strides, dilations)  # type: ignore[arg-type]
    return {"strides": strides, "dilations": dilations, "pads": pads}


def _layer(node: Node) -> dict[str, Any] | None:
    """The weight and the bias of a layer; None if they aren't constants."""
    weight = node.constant(1)
    if weight is None:
        return None
    found = {"weight": weight.transpose(WEIGHTS[node.native])}
    place = BIASES[node.native]
    if node.has(place):
        bias = node.constant(place)
        if bias is None:
            return None
        found["bias"] = bias.reshape(-1)
    return found


def _convolution(node: Node) -> Words | None:
    parameters = _layer(node)
    if parameters is None:
        return None
    weight, channels = parameters["weight"], node.shape(0)[3]
    attributes = _window(node, list(weight.shape[2:]))
    return "convolution", attributes | {"groups": channels // weight.shape[1]}, parameters


def _transposed(node: Node) -> Words | None:
    found = _layer(node)
    if found is None:
        return None
    strides = [node.option("strideH"), node.option("strideW")]
    pads, extra = transposed_pads(
        node.option("padding"),
        node.shape(2)[1:3],  # type: ignore[arg-type]
        node.given[1:3],  # type: ignore[arg-type]
        list(found["weight"].shape[2:]),
        strides,
    )
    attributes = {"strides": strides, "dilations": [1, 1], "groups": 1, "pads": pads}
    return "transposed_convolution", attributes | {"output_padding": extra}, found


def _dense(node: Node) -> Words | None:
    if len(node.moving()) == 2 and not node.has(2):
        return "matmul", {"transpose_a": False, "transpose_b": True}, {}
    found = _layer(node)
    return None if found is None else ("dense", {}, found)


def _matmul(node: Node) -> Words | None:
    first, second = bool(node.option("adjX")), bool(node.option("adjY"))
    if len(node.moving()) == 2:
        return "matmul", {"transpose_a": first, "transpose_b": second}, {}
    weight = node.constant(1)
    if weight is None or first or max((*weight.shape[:-2], 1)) > 1:
        return None
    weight = weight.reshape(weight.shape[-2:])
    return "dense", {}, {"weight": weight if second else weight.T}


def _pool(node: Node) -> Words:
    kernel = [node.option("filterHeight"), node.option("filterWidth")]
    attributes = {"kernel": kernel, **_window(node, kernel), "ceil_mode": False}
    if node.native == "MAX_POOL_2D":
        return "max_pool", attributes, {}
    del attributes["dilations"]
    return "average_pool", attributes | {"count_include_pad": False}, {}


def _reduction(node: Node) -> Words | None:
    axes, rank = node.whole(1), len(node.shape(0))
    if axes is None:
        return None
    attributes = {"axes": letters([axis % rank for axis in axes], rank)}
    return REDUCTIONS[node.native], attributes | {"keepdims": bool(node.option("keepDims"))}, {}


def _binary(node: Node) -> Words:
    kind = BINARY[node.native]
    constants = [place for place in (0, 1) if place not in node.moving()]
    if len(constants) != 1:
        return kind, {}, {}
    value = node.constant(constants[0])
    assert value is not None
    attributes = {"constant_first": True} if constants == [0] else {}
    return kind, attributes, {"operand": shaping.operand(value)}


def _prelu(node: Node) -> Words | None:
    slope = node.constant(1)
    return None if slope is None else ("prelu", {}, {"slope": shaping.operand(slope)})


def _softmax(node: Node) -> Words:
    beta = node.option("beta", 1.0) if node.native == "SOFTMAX" else 1.0
    attributes = {"axis": letter(-1, node.rank)} | ({"beta": beta} if beta != 1 else {})
    return node.native.lower(), attributes, {}


def _quantize(node: Node) -> Words | None:
    tensor = node.operator.outputs[0] if node.native == "QUANTIZE" else node.operator.inputs[0]
    scales = node.file.scales(tensor)
    if scales is None:
        return "cast", {"dtype": node.file.dtype(node.operator.outputs[0])}, {}
    attributes = {"axis": letter(scales.axis, node.rank)} if scales.scale.size > 1 else {}
    found = {"scale": scales.scale, "zero_point": scales.zero_point}
    return node.native.lower(), attributes, found


def _lrn(node: Node) -> Words:
    size = 2 * node.option("radius") + 1
    attributes = {"size": size, "alpha": node.option("alpha") * size}
    return "lrn", attributes | {"beta": node.option("beta"), "bias": node.option("bias")}, {}


def _clip(node: Node) -> Words:
    low, high = CLIPS[node.native]
    return "clip", {"min": low, "max": high}, {}


def _gelu(node: Node) -> Words:
    return "gelu", {"approximate": "tanh" if node.option("approximate", False) else "none"}, {}


def _power(node: Node) -> Words:
    import numpy as np

    return "power", {}, {"operand": np.float32(POWERS[node.native]).reshape(())}


READERS: dict[str, Callable[[Node], Words | None]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _matmul,
    **dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D"), _pool),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(CLIPS, _clip),
    **dict.fromkeys(POWERS, _power),
    **{native: lambda node: (SIMPLE[node.native], {}, {}) for native in SIMPLE},
    "LEAKY_RELU": lambda node: ("leaky_relu", {"slope": node.option("alpha")}, {}),
    "ELU": lambda node: ("elu", {"alpha": 1.0}, {}),
    "GELU": _gelu,
    "PRELU": _prelu,
    **dict.fromkeys(("SOFTMAX", "LOG_SOFTMAX"), _softmax),
    **dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _quantize),
    "CAST": lambda node: ("cast", {"dtype": node.file.dtype(node.operator.outputs[0])}, {}),
    "LOCAL_RESPONSE_NORMALIZATION": _lrn,
    **shaping.READERS,
}
