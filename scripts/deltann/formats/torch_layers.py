"""Readers of PyTorch's operators with weights, of pooling and of reductions.

A reader gives None for what the words of `deltann.steps` can't say.
"""

from collections.abc import Callable
from typing import Any

from deltann.formats.torch_graph import bound, operator_name
from deltann.formats.torch_reading import Call, Parameter, Reading, letters, pair

Reader = Callable[[Call], Reading | None]


def convolution(call: Call) -> Reading | None:
    """`conv2d`, `conv_transpose2d`, `convolution`."""
    weight = call.parameter("weight")
    if weight is None or weight.value.dim() != 4 or call.depends("bias"):
        return None
    dilations = pair(call["dilation"])
    attributes = {
        "strides": pair(call["stride"]),
        "dilations": dilations,
        "groups": call["groups"],
        "pads": _pads(call["padding"], list(weight.value.shape[2:]), dilations),
    }
    kind = "convolution"
    if call.get("transposed") or call.name.startswith("conv_transpose"):
        kind = "transposed_convolution"
        attributes["output_padding"] = pair(call["output_padding"])
    return Reading(kind, attributes, call.parameters(weight="weight", bias="bias"))


def _pads(padding: Any, kernel: list[int], dilations: list[int]) -> list[int]:
    """[top, left, bottom, right] of an argument that may be `same` or `valid`."""
    if padding == "same":
        total = [step * (side - 1) for step, side in zip(dilations, kernel, strict=True)]
        return [side // 2 for side in total] + [side - side // 2 for side in total]
    return [0] * 4 if padding == "valid" else pair(padding) * 2


def linear(call: Call) -> Reading | None:
    """`linear`."""
    if call.parameter("weight") is None or call.depends("bias"):
        return None
    return Reading("dense", {}, call.parameters(weight="weight", bias="bias"))


def product(call: Call) -> Reading | None:
    """`mm`, `matmul`, `bmm`, `addmm`: dense if the second factor is a constant matrix."""
    bias = call.name == "addmm"
    first, second = ("mat1", "mat2") if bias else list(call.arguments)[:2]
    if not call.depends(first) or (bias and call.depends("self")):
        return None
    factor = call.parameter(second)
    if factor is None:
        flags = {"transpose_a": False, "transpose_b": False}
        return None if bias else Reading("matmul", flags)
    if factor.value.dim() != 2:
        return None
    parameters = {"weight": Parameter(factor.value.t(), _transposed(factor.source))}
    if bias:
        value = call.network.value(call["self"])
        whole = value.expand(1, factor.value.shape[1])[0]
        source = call["self"] if value.shape == whole.shape else None
        parameters["bias"] = Parameter(whole, source)
        for name, scale in (("weight", call["alpha"]), ("bias", call["beta"])):
            if scale != 1:
                parameters[name] = Parameter(parameters[name].value * scale)
    return Reading("dense", {}, parameters)


def _transposed(node: Any) -> Any:
    """The node whose matrix a node transposes; None if it does something else."""
    arguments = bound(node)
    swaps = {
        "t": True,
        "permute": arguments.get("dims") in ([1, 0], [-1, 0]),
        "transpose": {arguments.get("dim0"), arguments.get("dim1")} in ({0, 1}, {-1, -2}, {0, -1}),
    }
    return node.args[0] if swaps.get(operator_name(node)) else None


def batch_norm(call: Call) -> Reading | None:
    """`batch_norm` and its variants."""
    import torch

    names = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
    if any(call.depends(name) for name in names.values()):
        return None
    parameters = call.parameters(**names)
    for name, value in (("scale", 1.0), ("shift", 0.0)):
        if name not in parameters:
            parameters[name] = Parameter(torch.full((call.shape("input")[1],), value))
    attributes = {
        "epsilon": call.get("eps", call.get("epsilon")),
        "training": bool(call.get("training", call.name == "_native_batch_norm_legit")),
    }
    if call.name.endswith("no_training"):
        attributes["training"] = False
    return Reading("batch_norm", attributes, parameters)


def max_pool(call: Call) -> Reading | None:
    """`max_pool2d`."""
    kernel = pair(call["kernel_size"])
    return Reading(
        "max_pool",
        {
            "kernel": kernel,
            "strides": pair(call["stride"] or kernel),
            "dilations": pair(call["dilation"]),
            "pads": pair(call["padding"]) * 2,
            "ceil_mode": call["ceil_mode"],
        },
    )


def average_pool(call: Call) -> Reading | None:
    """`avg_pool2d`."""
    kernel = pair(call["kernel_size"])
    attributes = {
        "kernel": kernel,
        "strides": pair(call["stride"] or kernel),
        "pads": pair(call["padding"]) * 2,
        "ceil_mode": call["ceil_mode"],
        "count_include_pad": call["count_include_pad"],
    }
    if call["divisor_override"] is not None:
        attributes["divisor"] = call["divisor_override"]
    return Reading("average_pool", attributes)


def adaptive_pool(call: Call) -> Reading | None:
    """`adaptive_avg_pool2d` and `adaptive_max_pool2d` whose windows don't overlap."""
    name = next(iter(call.arguments))
    before, after = call.shape(name)[-2:], call.output[-2:]
    average = "avg" in call.name
    if after == [1, 1] and call.rank(name) == 4:
        return Reading("mean" if average else "max", {"axes": ["H", "W"], "keepdims": True})
    if any(one % other for one, other in zip(before, after, strict=True)):
        return None
    steps = [one // other for one, other in zip(before, after, strict=True)]
    attributes = {"kernel": steps, "strides": steps, "pads": [0] * 4, "ceil_mode": False}
    if average:
        return Reading("average_pool", attributes | {"count_include_pad": False})
    return Reading("max_pool", attributes | {"dilations": [1, 1]})


REDUCTIONS = {
    **{"mean": "mean", "sum": "sum", "prod": "prod"},
    **{"amax": "max", "max": "max", "amin": "min", "min": "min"},
}


def reduction(call: Call) -> Reading | None:
    """`mean.dim` and its like."""
    if call.is_node("other"):  # max of two tensors
        return None
    rank = call.rank(next(iter(call.arguments)))
    return Reading(
        REDUCTIONS[call.name],
        {"axes": letters(call.get("dim"), rank), "keepdims": call.get("keepdim", False)},
    )


READERS: dict[str, Reader] = {
    **dict.fromkeys(("conv2d", "convolution", "_convolution", "conv_transpose2d"), convolution),
    "linear": linear,
    **dict.fromkeys(("mm", "matmul", "bmm", "addmm"), product),
    **dict.fromkeys(("batch_norm", "native_batch_norm", "_native_batch_norm_legit"), batch_norm),
    **dict.fromkeys(("_native_batch_norm_legit_no_training", "cudnn_batch_norm"), batch_norm),
    "_native_batch_norm_legit_functional": batch_norm,
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), max_pool),
    "avg_pool2d": average_pool,
    **dict.fromkeys(("adaptive_avg_pool2d", "_adaptive_avg_pool2d"), adaptive_pool),
    "adaptive_max_pool2d": adaptive_pool,
    **dict.fromkeys(REDUCTIONS, reduction),
}
