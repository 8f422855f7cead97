"""What ONNX's operators on single numbers compute, in the words of `deltann.steps`."""

from collections.abc import Callable

from deltann.formats.onnx_call import Call, Meaning, axis_name, operand, short, single

PLAIN = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "HardSwish": "hard_swish",
    "Softplus": "softplus",
    "Erf": "erf",
    "Exp": "exp",
    "Sqrt": "sqrt",
    "Abs": "abs",
    "Neg": "negative",
    "Reciprocal": "reciprocal",
}
BINARY = {
    "Add": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Div": "divide",
    "Max": "maximum",
    "Min": "minimum",
    "Pow": "power",
    "Sum": "add",
}
# The largest number of float32, but for rounding, stands for no limit.
UNLIMITED = 3.40282e38


def plain(call: Call) -> Meaning:
    """Operators without attributes."""
    return Meaning(PLAIN[call.op_type], {}, {})


def relu(call: Call) -> Meaning:
    """Relu is a clip."""
    return Meaning("clip", {"min": 0.0, "max": None}, {})


def clip(call: Call) -> Meaning:
    """Clip, with its limits as attributes before opset 11."""
    limits: dict[str, float | None] = {}
    for position, side in enumerate(("min", "max"), 1):
        value = call.get(side)
        if call.opset >= 11:
            constant = call.constant(position)
            value = None if constant is None else short(float(constant.reshape(())))
        none = value is None or abs(value) > UNLIMITED and (value > 0) == (side == "max")
        limits[side] = None if none else value
    return Meaning("clip", limits, {})


def leaky_relu(call: Call) -> Meaning:
    """LeakyRelu."""
    return Meaning("leaky_relu", {"slope": call.get("alpha", 0.01)}, {})


def elu(call: Call) -> Meaning:
    """Elu."""
    return Meaning("elu", {"alpha": call.get("alpha", 1.0)}, {})


def hard_sigmoid(call: Call) -> Meaning:
    """HardSigmoid."""
    attributes = {"alpha": call.get("alpha", 0.2), "beta": call.get("beta", 0.5)}
    return Meaning("hard_sigmoid", attributes, {})


def gelu(call: Call) -> Meaning:
    """Gelu, and ONNX Runtime's own Gelu and FastGelu."""
    call.need(len(call.reads) == 1 and not call.name(1))
    approximate = "tanh" if call.op_type == "FastGelu" else call.get("approximate", "none")
    return Meaning("gelu", {"approximate": approximate}, {})


def swish(call: Call) -> Meaning:
    """Swish, and ONNX Runtime's own QuickGelu."""
    default = 1.702 if call.op_type == "QuickGelu" else 1.0
    call.need(call.get("alpha", default) == 1)
    return Meaning("swish", {}, {})


def prelu(call: Call) -> Meaning:
    """PRelu with a constant slope: one number per channel, or one for all."""
    slope = operand(call.parameter(1), call.shape())
    call.need(slope.ndim <= 1)
    return Meaning("prelu", {}, {"slope": slope.reshape(-1)})


def softmax(call: Call) -> Meaning:
    """Softmax and LogSoftmax; before opset 13 over all axes from `axis` on."""
    shape = call.shape()
    axis = call.get("axis", -1 if call.opset >= 13 else 1) % len(shape)
    if call.opset < 13:
        sides = [at for at in range(axis, len(shape)) if shape[at] > 1] or [axis]
        call.need(len(sides) == 1)
        axis = sides[0]
    kind = "softmax" if call.op_type == "Softmax" else "log_softmax"
    return Meaning(kind, {"axis": axis_name(axis, len(shape))}, {})


def binary(call: Call) -> Meaning:
    """Operators with two sides, of which one may be constant."""
    kind, count = BINARY[call.op_type], len(call.node.input)
    call.need(not call.get("broadcast", 0) and call.opset >= 7 or call.op_type in ("Max", "Min"))
    if count == 1:
        return Meaning("identity", {}, {})
    call.need(count == 2)
    for constant, other in ((0, 1), (1, 0)):
        if not call.depends(constant):
            value = operand(call.parameter(constant), call.shape(other))
            first = {"constant_first": True} if constant == 0 else {}
            return Meaning(kind, first, {"operand": value})
    return Meaning(kind, {}, {})


def identity(call: Call) -> Meaning:
    """Identity, and Dropout outside of training."""
    if call.op_type == "Dropout" and call.name(2):
        training = call.constant(2)
        call.need(training is None or not training.any())
    return Meaning("identity", {}, {})


def cast(call: Call) -> Meaning:
    """Cast and CastLike."""
    from onnx.helper import tensor_dtype_to_np_dtype

    if call.op_type == "CastLike":
        return Meaning("cast", {"dtype": call.view.dtype(call.node.output[0])}, {})
    return Meaning("cast", {"dtype": tensor_dtype_to_np_dtype(call.get("to")).name}, {})


def quantize(call: Call) -> Meaning:
    """QuantizeLinear and DequantizeLinear of a tensor that depends on the image."""
    import numpy as np

    scale, zero_point = call.constant(1), call.constant(2)
    call.need(scale is not None and not call.get("block_size", 0))
    assert scale is not None
    zero_point = np.zeros_like(scale, np.int32) if zero_point is None else zero_point
    attributes = {}
    if scale.size > 1:
        attributes["axis"] = axis_name(call.get("axis", 1), len(call.shape()))
    kind = "quantize" if call.op_type == "QuantizeLinear" else "dequantize"
    shape = (-1,) if scale.size > 1 else ()
    return Meaning(
        kind,
        attributes,
        {"scale": single(scale).reshape(shape), "zero_point": zero_point.reshape(shape)},
    )


ELEMENTWISE: dict[str, Callable[[Call], Meaning]] = {
    **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(BINARY, binary),
    "Relu": relu,
    "Clip": clip,
    "LeakyRelu": leaky_relu,
    "Elu": elu,
    "HardSigmoid": hard_sigmoid,
    "Gelu": gelu,
    "FastGelu": gelu,
    "Swish": swish,
    "QuickGelu": swish,
    "PRelu": prelu,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Identity": identity,
    "Dropout": identity,
    "Cast": cast,
    "CastLike": cast,
    "QuantizeLinear": quantize,
    "DequantizeLinear": quantize,
}
