"""Readers of PyTorch's operators without weights: activations, arithmetic, and what moves numbers.

A reader gives None for what the words of `deltann.steps` can't say.
"""

from math import isclose
from typing import Any

from deltann.formats.torch_layers import Reader
from deltann.formats.torch_reading import (
    Call,
    Parameter,
    Place,
    Reading,
    dtype_name,
    finite,
    letter,
    shape,
)

PLAIN = {
    **{name: name for name in ("sigmoid", "tanh", "softplus", "erf", "exp", "sqrt", "abs")},
    **{"reciprocal": "reciprocal", "neg": "negative", "silu": "swish", "hardswish": "hard_swish"},
}
# Their limits, or the arguments that are.
CLIPS: dict[str, tuple[Any, Any]] = {
    **{"relu": (0, None), "relu6": (0, 6), "hardtanh": ("min_val", "max_val")},
    **{"clamp": ("min", "max"), "clamp_min": ("min", None), "clamp_max": (None, "max")},
}
BINARY = {
    **{"add": "add", "sub": "subtract", "rsub": "subtract", "mul": "multiply", "div": "divide"},
    **{"maximum": "maximum", "minimum": "minimum", "pow": "power"},
}
MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
PADS = {"reflection_pad2d": "reflect", "replication_pad2d": "replicate"}
IDENTITIES = ("clone", "contiguous", "alias", "detach", "lift_fresh_copy", "lift_fresh")
DROPOUTS = ("dropout", "feature_dropout", "alpha_dropout")
SHAPES = (
    *("view", "reshape", "flatten", "squeeze", "unsqueeze", "_unsafe_view", "unflatten"),
    *("view_copy", "squeeze_copy", "unsqueeze_copy"),
)
SPLITS = (
    "split",
    "split_with_sizes",
    "chunk",
    "tensor_split",
    "split_with_sizes_copy",
    "split_copy",
)
CASTS = ("to", "_to_copy", "type_as", "float", "half", "bfloat16", "double", "_to_dtype")
RESIZES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "upsample_nearest2d": ("nearest", "asymmetric", {"rounding": "floor"}),
    # it takes the pixel at floor((x + 0.5) * scale)
    "_upsample_nearest_exact2d": ("nearest", "half_pixel", {"rounding": "round_prefer_ceil"}),
    "upsample_bilinear2d": ("linear", "half_pixel", {}),
    "upsample_bicubic2d": ("cubic", "half_pixel", {}),
    "_upsample_bilinear2d_aa": ("linear", "half_pixel", {"antialias": True}),
    "_upsample_bicubic2d_aa": ("cubic", "half_pixel", {"antialias": True}),
}


def plain(call: Call) -> Reading | None:
    """What has no attributes here."""
    if call.name == "softplus" and (call["beta"], call["threshold"]) != (1, 20):
        return None
    return Reading(PLAIN[call.name])


def clip(call: Call) -> Reading | None:
    """What bounds numbers."""
    limits = []
    for limit in CLIPS[call.name]:
        value = call.get(limit) if isinstance(limit, str) else limit
        if call.depends(str(limit)):
            return None
        if call.is_node(str(limit)):
            tensor = call.network.value(value)
            if tensor.numel() != 1:
                return None
            value = tensor.item()
        limits.append(finite(value))
    return Reading("clip", {"min": limits[0], "max": limits[1]})


def activation(call: Call) -> Reading | None:
    """Activations with attributes."""
    match call.name:
        case "leaky_relu":
            return Reading("leaky_relu", {"slope": call["negative_slope"]})
        case "elu" if (call["scale"], call["input_scale"]) == (1, 1):
            return Reading("elu", {"alpha": call["alpha"]})
        case "gelu":
            return Reading("gelu", {"approximate": call["approximate"]})
        case "hardsigmoid":
            return Reading("hard_sigmoid", {"alpha": 1 / 6, "beta": 0.5})
        case "prelu" | "_prelu_kernel" if call.parameter("weight"):
            slope = call.parameter("weight")
            assert slope is not None
            return Reading("prelu", {}, {"slope": Parameter(slope.value.reshape(-1), slope.source)})
        case "softmax" | "_softmax" | "log_softmax" | "_log_softmax":
            axis = letter(call["dim"], call.rank("self"))
            return Reading(call.name.removeprefix("_"), {"axis": axis})
    return None


def binary(call: Call) -> Reading | None:
    """Arithmetic of two tensors, or of one and a constant."""
    if call.get("rounding_mode") is not None:
        return None
    places: list[Place] = [(name, None) for name in list(call.arguments)[:2]]
    if call.name == "rsub":
        places.reverse()
    alpha = call.get("alpha", 1)
    attributes: dict[str, Any] = {}
    inputs = [place for place in places if call.depends(place[0])]
    if len(inputs) == 2:
        attributes |= {"alpha": alpha} if alpha != 1 else {}
        return Reading(BINARY[call.name], attributes, {}, inputs)
    (constant,) = (place for place in places if place not in inputs)
    scaled = places.index(constant) == 1  # alpha multiplies the second
    if alpha != 1 and not scaled:
        return None
    parameter = call.parameter(constant[0])
    if parameter is None:
        value = call[constant[0]]
        parameter = number(float(value), value)
    if alpha != 1:
        parameter = Parameter(parameter.value * alpha)
    parameter.value = per_channel(parameter.value, call.output)
    attributes["constant_first"] = places.index(constant) == 0
    return Reading(BINARY[call.name], attributes, {"operand": parameter}, inputs)


def per_channel(value: Any, output: list[int]) -> Any:
    """A constant with one number per channel as (channels,), with a single one as ()."""
    if value.numel() == 1:
        return value.reshape(())
    sides = [1] * (len(output) - value.dim()) + list(value.shape)
    if len(sides) in (2, 4) and value.numel() == sides[1] == output[1]:
        return value.reshape(-1)
    return value


def pad(call: Call) -> Reading | None:
    """`pad`, of height and width alone."""
    name = next(iter(call.arguments))
    sides = [*call.get("pad", call.get("padding")), *[0] * 8][: 2 * call.rank(name)]
    if call.rank(name) != 4 or any(sides[4:]) or call.depends("value"):
        return None
    mode = MODES[PADS.get(call.name, call.get("mode", "constant"))]
    left, right, top, bottom = sides[:4]
    attributes = {"pads": [top, left, bottom, right], "value": call.get("value") or 0, "mode": mode}
    return Reading("pad", attributes)


def resize(call: Call) -> Reading | None:
    """`upsample_nearest2d` and its like."""
    mode, coordinates, more = RESIZES[call.name]
    before, size = call.shape(next(iter(call.arguments)))[2:], call.output[2:]
    corners = call.get("align_corners", False)
    attributes: dict[str, Any] = {
        **{"size": size, "mode": mode, **more},
        "coordinates": "align_corners" if corners else coordinates,
    }
    scales = call.get("scale_factors") or [call.get("scales_h"), call.get("scales_w")]
    used = [scale or after / side for scale, after, side in zip(scales, size, before, strict=True)]
    if not corners and not all(
        isclose(scale, after / side) for scale, after, side in zip(used, size, before, strict=True)
    ):
        attributes["scales"] = used  # where those of the sizes aren't used
    return Reading("resize", attributes)


def transpose(call: Call) -> Reading | None:
    """`permute`, `transpose`, `t`."""
    rank = call.rank("self")
    axes = list(range(rank))
    if call.name.startswith("permute"):
        axes = [axis % rank for axis in call["dims"]]
    else:
        one, other = (0, rank - 1) if call.name == "t" else (call["dim0"], call["dim1"])
        axes[one], axes[other] = axes[other], axes[one]
    return Reading("transpose", {"permutation": axes})


def reshape(call: Call) -> Reading | None:
    """What gives a tensor another shape."""
    return Reading("reshape", {"shape": call.output})


def concat(call: Call) -> Reading | None:
    """`cat`."""
    axis = letter(call["dim"], len(call.output))
    parameters = {
        f"constant_{place}": Parameter(call.network.value(node), node)
        for place, node in enumerate(call["tensors"])
        if node not in call.network.dependent
    }
    return Reading("concat", {"axis": axis}, parameters)


def cut(call: Call) -> Reading | None:
    """`slice`, `select`, `narrow`."""
    rank, axis = call.rank("self"), call["dim"]
    side = call.shape("self")[axis]
    match call.name.removesuffix("_copy"):
        case "select":
            start = call["index"] % side
            end, more = start + 1, {"keepdims": False}
        case "narrow":
            start = call["start"] % side if call["length"] else call["start"]
            end, more = start + call["length"], {}
        case _:
            start, end = 0 if call["start"] is None else call["start"], call["end"]
            end = side if end is None else end
            start, end = (value + side * (value < 0) for value in (start, end))
            start, end, more = min(max(start, 0), side), min(max(end, 0), side), {}
    attributes = {"axes": [letter(axis, rank)], "starts": [start], "ends": [end]}
    return Reading("slice", {**attributes, "steps": [call.get("step", 1)], **more})


def split(call: Call) -> Reading | None:
    """`split`, `chunk`."""
    axis, rank = call["dim"], call.rank("self")
    sizes = [int(part.shape[axis]) for part in call.node.meta["val"]]
    return Reading("split", {"axis": letter(axis, rank), "sizes": sizes})


def cast(call: Call) -> Reading | None:
    """`to` and its like; to the type that it has, it changes nothing."""
    before, after = (dtype_name(node.meta["val"].dtype) for node in (call.node.args[0], call.node))
    return Reading("identity") if before == after else Reading("cast", {"dtype": after})


def identity(call: Call) -> Reading | None:
    """What changes nothing when the model isn't trained."""
    if call.get("train", False) or call.output != shape(call.node.args[0]):
        return None
    return Reading("identity")


def quantization(call: Call) -> Reading | None:
    """Operators of `quantized_decomposed`."""
    kind = call.name.split("_")[0]
    attributes: dict[str, Any] = {
        name: call[name] for name in ("quant_min", "quant_max") if not call.is_node(name)
    }
    attributes["dtype"] = dtype_name(call["dtype"])
    if "axis" in call.arguments:
        attributes["axis"] = letter(call["axis"], call.rank("input"))
    parameters = {}
    for name in ("scale", "zero_point"):
        argument = f"{name}s" if f"{name}s" in call.arguments else name
        value = call[argument]
        if call.depends(argument) or value is None:
            continue
        parameters[name] = call.parameter(argument) or number(value, value)
    return Reading(kind, attributes, parameters)


def number(value: float, source: float) -> Parameter:
    """A Python number that a graph has, and how it has it."""
    import torch

    return Parameter(torch.tensor(value), source)


READERS: dict[str, Reader] = {
    **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(CLIPS, clip),
    **dict.fromkeys(("leaky_relu", "elu", "gelu", "hardsigmoid", "prelu"), activation),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax"), activation),
    "_prelu_kernel": activation,
    **dict.fromkeys(BINARY, binary),
    **dict.fromkeys(("pad", "constant_pad_nd", *PADS), pad),
    **dict.fromkeys(RESIZES, resize),
    **dict.fromkeys(("permute", "permute_copy", "transpose", "transpose_copy", "t"), transpose),
    **dict.fromkeys(SHAPES, reshape),
    "cat": concat,
    **dict.fromkeys(("slice", "slice_copy", "select", "select_copy", "narrow"), cut),
    **dict.fromkeys(SPLITS, split),
    **dict.fromkeys(CASTS, cast),
    **dict.fromkeys((*IDENTITIES, *DROPOUTS, "expand"), identity),
    **dict.fromkeys(
        (
            f"{kind}_per_{what}"
            for kind in ("quantize", "dequantize")
            for what in ("tensor", "channel")
        ),
        quantization,
    ),
}
