"""What Relax's operators do, in the words of `deltann.steps`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltann.steps import AXES, BINARY, REDUCTIONS
from deltann.tvm.call import Call, Unknown, native, needed, number

if TYPE_CHECKING:
    import numpy as np

SAME_NAME = ("sigmoid", "tanh", "erf", "exp", "sqrt", "abs", "negative")
RENAMED = {
    "silu": "swish",
    "conv2d": "convolution",
    "conv2d_transpose": "transposed_convolution",
    "max_pool2d": "max_pool",
    "avg_pool2d": "average_pool",
}

Meaning = tuple[str, dict[str, Any], "dict[str, np.ndarray]"]


def meaning(call: Call) -> Meaning:
    """Kind, attributes and parameters of a call; `other` for what there is no word for."""
    from tvm import relax

    if isinstance(call.expression, relax.Var | relax.TupleGetItem):
        return "identity", {}, {}
    name = native(call.expression).removeprefix("nn.").removeprefix("image.")
    known = MEANINGS.get(name)
    try:
        return known(call, name) if known else ("other", {}, {})
    except Unknown:
        return "other", {}, {}


def _numbers(values: Any) -> list[int]:
    return [int(value) for value in values]


def _convolution(call: Call, name: str) -> Meaning:
    attrs = call.attrs
    call.to_height_width(str(attrs.data_layout))
    wanted = "IOHW" if name.endswith("transpose") else "OIHW"
    order = [str(attrs.kernel_layout).index(letter) for letter in wanted]
    attributes = {
        "strides": _numbers(attrs.strides),
        "dilations": _numbers(attrs.dilation),
        "groups": int(attrs.groups),
        "pads": _numbers(attrs.padding),
    }
    if name.endswith("transpose"):
        attributes["output_padding"] = _numbers(attrs.output_padding)
    return RENAMED[name], attributes, {"weight": call.parameter(1).transpose(order)}


def _matmul(call: Call, _: str) -> Meaning:
    weight = call.constant(call.args[1])
    if weight is not None and weight.ndim == 2:
        return "dense", {}, {"weight": weight.T}
    if weight is not None or call.constant(call.args[0]) is not None:
        raise Unknown
    return "matmul", {"transpose_a": False, "transpose_b": False}, {}


def _norm(call: Call, _: str) -> Meaning:
    attrs, rank = call.attrs, len(call.shape())
    if call.axis(attrs.axis, rank) not in ("C", rank - 1):
        raise Unknown
    names = ("scale", "shift", "mean", "variance")
    parameters = {name: call.parameter(at) for at, name in enumerate(names, 1)}
    # compiled for inference, it takes the statistics that are given, whatever `training` says
    return "batch_norm", {"epsilon": float(attrs.epsilon)}, parameters


def _pool(call: Call, name: str) -> Meaning:
    attrs = call.attrs
    call.to_height_width(str(attrs.layout))
    attributes = {
        "kernel": _numbers(attrs.pool_size),
        "strides": _numbers(attrs.strides),
        "pads": _numbers(attrs.padding),
        "ceil_mode": bool(attrs.ceil_mode),
    }
    dilations = _numbers(attrs.dilation)
    if name == "max_pool2d":
        attributes["dilations"] = dilations
    elif dilations != [1, 1]:
        raise Unknown
    else:
        attributes["count_include_pad"] = bool(attrs.count_include_pad)
    return RENAMED[name], attributes, {}


def _adaptive(call: Call, _: str) -> Meaning:
    layout, (after,) = str(call.attrs.layout), call.sizes
    call.to_height_width(layout)
    if [after[layout.index(letter)] for letter in "HW"] != [1, 1]:
        raise Unknown
    return "mean", {"axes": ["H", "W"], "keepdims": True}, {}


def _reduction(call: Call, name: str) -> Meaning:
    rank, axes = len(call.shape()), call.attrs.axis
    numbers = range(rank) if axes is None else _numbers(axes)
    return (
        name,
        {
            "axes": [call.axis(axis, rank) for axis in numbers],
            "keepdims": bool(call.attrs.keepdims),
        },
        {},
    )


def _clip(call: Call, name: str) -> Meaning:
    if name == "relu":
        return "clip", {"min": 0.0, "max": None}, {}
    low, high = (float(number(item)) for item in call.args[1:3])
    return "clip", {"min": low, "max": high}, {}


def _plain(call: Call, name: str) -> Meaning:
    return RENAMED.get(name, name), {}, {}


def _leaky(call: Call, _: str) -> Meaning:
    return "leaky_relu", {"slope": float(call.attrs.alpha)}, {}


def _gelu(call: Call, name: str) -> Meaning:
    return "gelu", {"approximate": "tanh" if name.endswith("tanh") else "none"}, {}


def _prelu(call: Call, _: str) -> Meaning:
    return "prelu", {}, {"slope": call.parameter(1).reshape(-1)}


def _softmax(call: Call, name: str) -> Meaning:
    return name, {"axis": call.axis(call.attrs.axis, len(call.shape()))}, {}


def _binary(call: Call, name: str) -> Meaning:
    for constant, other in ((1, 0), (0, 1)):
        value = call.constant(call.args[constant])
        if value is not None:
            first = {} if constant else {"constant_first": True}
            return name, first, {"operand": _operand(value, call.shape(other), call.layout)}
    return name, {}, {}


def _operand(value: "np.ndarray", shape: tuple[int, ...], layout: str) -> "np.ndarray":
    """A constant of shape (), (channels,), or with all axes."""
    if value.size == 1 and value.ndim <= len(shape):
        return value.reshape(())
    if value.ndim > len(shape):
        return value
    full = (1,) * (len(shape) - value.ndim) + value.shape
    channel = layout.index("C") if len(shape) == len(AXES) else len(shape) - 1
    others = (size for axis, size in enumerate(full) if axis != channel)
    return value.reshape(-1) if all(size == 1 for size in others) else value.reshape(full)


def _pad(call: Call, _: str) -> Meaning:
    widths, rank = _numbers(call.attrs.pad_width), len(call.shape())
    call.to_height_width(call.layout, rank)
    sides = {letter: widths[2 * at : 2 * at + 2] for at, letter in enumerate(call.layout)}
    if sides["N"] != [0, 0] or sides["C"] != [0, 0]:
        raise Unknown
    (top, bottom), (left, right) = sides["H"], sides["W"]
    pads, mode = [top, left, bottom, right], str(call.attrs.pad_mode)
    return "pad", {"pads": pads, "value": float(call.attrs.pad_value), "mode": mode}, {}


def _resize(call: Call, _: str) -> Meaning:
    attrs, (after,) = call.attrs, call.sizes
    layout, method = str(attrs.layout), str(attrs.method)
    call.to_height_width(layout)
    attributes = {
        "size": [after[layout.index(letter)] for letter in "HW"],
        "mode": {"nearest_neighbor": "nearest"}.get(method, method),
        "coordinates": str(attrs.coordinate_transformation_mode),
    }
    if attributes["mode"] == "nearest":
        attributes["rounding"] = str(attrs.rounding_method)
    return "resize", attributes, {}


def _transpose(call: Call, _: str) -> Meaning:
    axes, rank = call.attrs.axes, len(call.shape())
    permutation = [*range(rank)][::-1] if axes is None else [axis % rank for axis in _numbers(axes)]
    return "transpose", {"permutation": permutation}, {}


def _reshape(call: Call, _: str) -> Meaning:
    return "reshape", {"shape": list(call.sizes[0])}, {}


def _concat(call: Call, _: str) -> Meaning:
    constants = map(call.constant, needed(_fields(call.args[0])))
    parameters = {f"input_{at}": item for at, item in enumerate(constants) if item is not None}
    axis = call.attrs.axis
    return "concat", {"axis": call.axis(axis or 0, len(call.sizes[0]))}, parameters


def _fields(expression: Any) -> Any:
    from tvm import relax

    return expression.fields if isinstance(expression, relax.Tuple) else None


def _split(call: Call, _: str) -> Meaning:
    rank = len(call.shape())
    axis = int(call.attrs.axis) % rank
    sizes = [size[axis] for size in call.sizes]
    return "split", {"axis": call.axis(axis, rank), "sizes": sizes}, {}


def _cast(call: Call, _: str) -> Meaning:
    return "cast", {"dtype": str(call.attrs.dtype)}, {}


MEANINGS: dict[str, Callable[[Call, str], Meaning]] = {
    **dict.fromkeys(SAME_NAME, _plain),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(REDUCTIONS, _reduction),
    **dict.fromkeys(("reshape", "flatten", "squeeze", "expand_dims"), _reshape),
    **dict.fromkeys(("conv2d", "conv2d_transpose"), _convolution),
    **dict.fromkeys(("max_pool2d", "avg_pool2d"), _pool),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(("gelu", "gelu_tanh"), _gelu),
    **dict.fromkeys(("clip", "relu"), _clip),
    "silu": _plain,
    "matmul": _matmul,
    "batch_norm": _norm,
    "adaptive_avg_pool2d": _adaptive,
    "leakyrelu": _leaky,
    "prelu": _prelu,
    "pad": _pad,
    "resize2d": _resize,
    "permute_dims": _transpose,
    "concat": _concat,
    "split": _split,
    "astype": _cast,
}
