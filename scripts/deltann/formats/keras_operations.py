"""The calls of `keras.ops` in a Keras model, in the words of `deltann.steps`."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from deltann.formats import keras_words, tensorflow_padding
from deltann.formats.keras_activations import FUNCTIONS
from deltann.formats.keras_words import LETTERS, Said, Seen, axes, operand, pair, plain

BINARY = {
    **{"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide"},
    **{"TrueDivide": "divide", "Maximum": "maximum", "Minimum": "minimum", "Power": "power"},
}
REDUCTIONS = {"Mean": "mean", "Sum": "sum", "Max": "max", "Min": "min", "Prod": "prod"}
REDUCTIONS |= {"Amax": "max", "Amin": "min"}
UNARY: dict[str, tuple[str, dict[str, Any]]] = {
    **{"Erf": ("erf", {}), "Exp": ("exp", {}), "Sqrt": ("sqrt", {}), "Abs": ("abs", {})},
    **{"Absolute": ("abs", {}), "Negative": ("negative", {}), "Reciprocal": ("reciprocal", {})},
    **{"Copy": ("identity", {}), "StopGradient": ("identity", {})},
    **{"Relu": FUNCTIONS["relu"], "Relu6": FUNCTIONS["relu6"], "Sigmoid": ("sigmoid", {})},
    **{"Tanh": ("tanh", {}), "Silu": ("swish", {}), "HardSilu": ("hard_swish", {})},
    **{"HardSigmoid": FUNCTIONS["hard_sigmoid"], "Softplus": ("softplus", {})},
}


def describe(seen: Seen) -> Said:
    """What an operation is that is no layer."""
    name = type(seen.operation).__name__
    if name in UNARY:
        kind, attributes = UNARY[name]
        return kind, dict(attributes), {}
    if name in BINARY:
        return _binary(seen, BINARY[name])
    if name in REDUCTIONS:
        operation = seen.operation
        return keras_words.reduction(seen, REDUCTIONS[name], operation.axis, operation.keepdims)
    if name in ("Reshape", "Squeeze", "ExpandDims", "Ravel"):
        return "reshape", {"shape": list(seen.writes)}, {}
    return KINDS[name](seen) if name in KINDS else ("other", {}, {})


def _binary(seen: Seen, kind: str) -> Said:
    import numpy as np

    sides = [*seen.arguments, *(seen.settings or {}).values()][:2]
    if all(side is None for side in sides):
        return kind, {}, {}
    first = sides[0] is not None
    constant = plain(sides[0 if first else 1])
    attributes = {"constant_first": True} if first else {}
    return kind, attributes, {"operand": operand(np.asarray(constant, np.float32))}


def _power(seen: Seen) -> Said:
    """`Square` and `Rsqrt`."""
    import numpy as np

    exponent = 2 if type(seen.operation).__name__ == "Square" else -0.5
    return "power", {}, {"operand": np.array(exponent, np.float32)}


def _clip(seen: Seen) -> Said:
    low, high = (
        None if limit is None else float(limit)
        for limit in (seen.operation.x_min, seen.operation.x_max)
    )
    return "clip", {"min": low, "max": high}, {}


def _transpose(seen: Seen) -> Said:
    rank = len(seen.reads[0])
    order = seen.operation.axes or range(rank)[::-1]
    return "transpose", {"permutation": [int(axis) % rank for axis in order]}, {}


def _concatenate(seen: Seen) -> Said:
    return "concat", {"axis": axes(seen.operation.axis, len(seen.reads[0]))[0]}, {}


def _pad(seen: Seen) -> Said:
    widths = [*seen.operation.pad_width]
    widths = widths * len(seen.reads[0]) if len(widths) == 1 else widths
    if len(widths) != 4 or any(widths[0]) or any(widths[3]):
        return "other", {"pad_width": [list(item) for item in widths]}, {}
    (top, bottom), (left, right) = widths[1:3]
    given = [*seen.arguments[1:], *(seen.settings or {}).values()]
    value = next((float(item) for item in given if item is not None), 0.0)
    pads = [int(item) for item in (top, left, bottom, right)]
    return "pad", {"pads": pads, "value": value, "mode": seen.operation.mode}, {}


def _resize(seen: Seen) -> Said:
    operation = seen.operation
    if operation.crop_to_aspect_ratio or operation.pad_to_aspect_ratio:
        return "other", {}, {}
    size = [int(side) for side in operation.size]
    return keras_words.resize(seen, size, operation.interpolation, bool(operation.antialias))


def _softmax(seen: Seen) -> Said:
    kind = "softmax" if type(seen.operation).__name__ == "Softmax" else "log_softmax"
    if not isinstance(seen.operation.axis, int):
        return "other", {}, {}
    return kind, {"axis": axes(seen.operation.axis, len(seen.reads[0]))[0]}, {}


def _gelu(seen: Seen) -> Said:
    return "gelu", {"approximate": "tanh" if seen.operation.approximate else "none"}, {}


def _leaky_relu(seen: Seen) -> Said:
    return "leaky_relu", {"slope": float(seen.operation.negative_slope)}, {}


def _elu(seen: Seen) -> Said:
    return "elu", {"alpha": float(seen.operation.alpha)}, {}


def _pooling(seen: Seen) -> Said:
    operation = seen.operation
    kernel, strides = pair(operation.pool_size), pair(operation.strides or operation.pool_size)
    if len(seen.reads[0]) != 4:
        return "other", {}, {}
    sides = seen.sides(seen.reads[0])
    attributes = {
        "kernel": kernel,
        "strides": strides,
        "pads": tensorflow_padding.pads(operation.padding, sides, kernel, strides, [1, 1]),
        "ceil_mode": False,
    }
    if type(operation).__name__ == "MaxPool":
        return "max_pool", attributes | {"dilations": [1, 1]}, {}
    return "average_pool", attributes | {"count_include_pad": False}, {}


def _product(seen: Seen) -> Said:
    constants = [item for item in seen.arguments if item is not None]
    if not constants:
        return "matmul", {"transpose_a": False, "transpose_b": False}, {}
    weight = plain(constants[0])
    if seen.arguments[0] is not None or weight.ndim != 2:
        return "other", {}, {}
    return "dense", {}, {"weight": weight.T}


def _slice(seen: Seen) -> Said:
    """`x[key]` with slices alone."""
    key = seen.arguments[1] if len(seen.arguments) > 1 else (seen.settings or {}).get("key")
    key = tuple(key) if isinstance(key, (list, tuple)) else (key,)
    shape = seen.reads[0]
    if not all(isinstance(item, slice) for item in key) or None in shape:
        return "other", {}, {}
    pieces = [item.indices(side or 0) for item, side in zip(key, shape, strict=False)]
    kept = [axis for axis, piece in enumerate(pieces) if piece != (0, shape[axis], 1)]
    letters = LETTERS["channels_last"]
    named = [letters[axis] if len(shape) == 4 else axis for axis in kept]
    starts, ends, steps = ([pieces[axis][i] for axis in kept] for i in range(3))
    return "slice", {"axes": named, "starts": starts, "ends": ends, "steps": steps}, {}


def _split(seen: Seen) -> Said:
    operation, shape = seen.operation, seen.reads[0]
    axis = operation.axis % len(shape)
    given, side = operation.indices_or_sections, shape[axis] or 0
    if isinstance(given, int):
        sizes = [side // given] * given
    else:
        places = [0, *(int(place) for place in given), side]
        sizes = [end - start for start, end in pairwise(places)]
    return "split", {"axis": axes(axis, len(shape))[0], "sizes": sizes}, {}


def _cast(seen: Seen) -> Said:
    return "cast", {"dtype": str(seen.operation.dtype)}, {}


KINDS: dict[str, Callable[[Seen], Said]] = {
    **{"Square": _power, "Rsqrt": _power, "Clip": _clip, "Transpose": _transpose},
    **{"Concatenate": _concatenate, "Pad": _pad, "Resize": _resize, "Softmax": _softmax},
    **{"LogSoftmax": _softmax, "Gelu": _gelu, "LeakyRelu": _leaky_relu, "Elu": _elu},
    **{"MaxPool": _pooling, "AveragePool": _pooling, "Matmul": _product, "GetItem": _slice},
    **{"Cast": _cast, "Split": _split},
}
