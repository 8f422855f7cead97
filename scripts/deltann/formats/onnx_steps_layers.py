"""What ONNX's operators with windows or weights compute, in the words of `deltann.steps`."""

from typing import Any

from deltann.formats.onnx_call import Call, Meaning, axis_name

SAME = ("SAME_UPPER", "SAME_LOWER")


def same_pads(
    sizes: tuple[int, int], kernel: list[int], strides: list[int], dilations: list[int], mode: str
) -> list[int]:
    """The padding of `auto_pad`: [top, left, bottom, right].

    Args:
        sizes: the height and width of what is padded.
        kernel, strides, dilations: those of the window, [y, x].
        mode: `SAME_UPPER`, with the odd one behind, or `SAME_LOWER`.
    """
    first, second = [], []
    for size, window, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        covered = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1
        total = max(covered - size, 0)
        less, more = total // 2, total - total // 2
        first.append(less if mode == "SAME_UPPER" else more)
        second.append(more if mode == "SAME_UPPER" else less)
    return first + second


def window(call: Call, kernel: list[int]) -> dict[str, Any]:
    """The strides, dilations and resolved pads of a node with a window over two axes."""
    call.need(len(kernel) == 2 and len(call.shape()) == 4)
    strides, dilations = call.get("strides", [1, 1]), call.get("dilations", [1, 1])
    mode = call.get("auto_pad", "NOTSET")
    pads = call.get("pads", [0, 0, 0, 0]) if mode == "NOTSET" else [0, 0, 0, 0]
    if mode in SAME:
        _, _, height, width = call.shape()
        pads = same_pads((height, width), kernel, strides, dilations, mode)
    return {"strides": list(strides), "dilations": list(dilations), "pads": list(pads)}


def convolution(call: Call) -> Meaning:
    """Conv over two axes with a constant weight."""
    parameters = {"weight": call.parameter(1)}
    call.need(parameters["weight"].ndim == 4)
    if call.name(2):
        parameters["bias"] = call.parameter(2)
    attributes = window(call, [*parameters["weight"].shape[2:]])
    return Meaning("convolution", attributes | {"groups": call.get("group", 1)}, parameters)


def transposed_convolution(call: Call) -> Meaning:
    """ConvTranspose over two axes; a wanted output shape is resolved to pads."""
    parameters = {"weight": call.parameter(1)}
    call.need(parameters["weight"].ndim == 4 and len(call.shape()) == 4)
    if call.name(2):
        parameters["bias"] = call.parameter(2)
    strides, dilations = call.get("strides", [1, 1]), call.get("dilations", [1, 1])
    more, mode = call.get("output_padding", [0, 0]), call.get("auto_pad", "NOTSET")
    pads = call.get("pads", [0, 0, 0, 0]) if mode == "NOTSET" else [0, 0, 0, 0]
    wanted = call.get("output_shape")
    if wanted is not None or mode in SAME:
        kernel, sizes = parameters["weight"].shape[2:], call.shape()[2:]
        wanted = [*wanted][-2:] if wanted is not None else _products(sizes, strides)
        pads = [0, 0, 0, 0]
        for axis in (0, 1):
            covered = strides[axis] * (sizes[axis] - 1) + (kernel[axis] - 1) * dilations[axis] + 1
            total = max(covered + more[axis] - wanted[axis], 0)
            begin = total // 2 if mode == "SAME_UPPER" else total - total // 2
            pads[axis], pads[axis + 2] = begin, total - begin
    attributes = {"strides": list(strides), "dilations": list(dilations), "pads": list(pads)}
    attributes |= {"groups": call.get("group", 1), "output_padding": list(more)}
    return Meaning("transposed_convolution", attributes, parameters)


def _products(first: tuple[int, ...], second: list[int]) -> list[int]:
    return [one * other for one, other in zip(first, second, strict=True)]


def gemm(call: Call) -> Meaning:
    """Gemm: dense with a constant weight, into which alpha and beta go; matmul without one."""
    alpha, beta = call.get("alpha", 1.0), call.get("beta", 1.0)
    if call.depends(1):
        call.need(call.depends(0) and not call.name(2) and alpha == 1)
        flags = {f"transpose_{side}": bool(call.get(f"trans{side.upper()}", 0)) for side in "ab"}
        return Meaning("matmul", flags, {})
    call.need(call.depends(0) and not call.get("transA", 0))
    weight = call.parameter(1)
    weight = weight if call.get("transB", 0) else weight.T
    parameters = {"weight": weight if alpha == 1 else weight * weight.dtype.type(alpha)}
    if call.name(2):
        bias = call.parameter(2)
        call.need(bias.size in (1, weight.shape[0]) and bias.shape[:-1] in ((), (1,)))
        bias = bias.reshape(-1) if bias.size > 1 else bias.reshape(1).repeat(weight.shape[0])
        parameters["bias"] = bias if beta == 1 else bias * bias.dtype.type(beta)
    return Meaning("dense", {}, parameters)


def matmul(call: Call) -> Meaning:
    """MatMul: dense if its second side is a constant matrix."""
    if call.depends(0) and call.depends(1):
        return Meaning("matmul", {"transpose_a": False, "transpose_b": False}, {})
    call.need(call.depends(0))
    weight = call.parameter(1)
    call.need(weight.ndim == 2)
    return Meaning("dense", {}, {"weight": weight.T})


def batch_norm(call: Call) -> Meaning:
    """BatchNormalization; before opset 14 it trains if it has more than one output."""
    call.need(call.get("spatial", 1) == 1)
    if call.opset >= 14:
        training = bool(call.get("training_mode", 0))
    elif call.opset >= 7:
        training = sum(bool(name) for name in call.node.output) > 1
    else:
        training = not call.get("is_test", 0)
    names = ("scale", "shift", "mean", "variance")
    parameters = {name: call.parameter(at) for at, name in enumerate(names, 1)}
    attributes = {"epsilon": call.get("epsilon", 1e-5), "training": training}
    return Meaning("batch_norm", attributes, parameters)


def pool(call: Call) -> Meaning:
    """MaxPool and AveragePool over two axes."""
    kernel = list(call.get("kernel_shape", []))
    attributes = {"kernel": kernel, **window(call, kernel)}
    # a mode of auto_pad decides the output's size
    explicit = call.get("auto_pad", "NOTSET") == "NOTSET"
    attributes["ceil_mode"] = bool(call.get("ceil_mode", 0)) and explicit
    if call.op_type == "MaxPool":
        return Meaning("max_pool", attributes, {})
    if attributes["dilations"] == [1, 1]:
        del attributes["dilations"]
    attributes["count_include_pad"] = bool(call.get("count_include_pad", 0))
    return Meaning("average_pool", attributes, {})


def global_pool(call: Call) -> Meaning:
    """GlobalAveragePool and GlobalMaxPool: reductions of all axes behind the channels."""
    rank = len(call.shape())
    kind = "mean" if call.op_type == "GlobalAveragePool" else "max"
    axes = [axis_name(axis, rank) for axis in range(2, rank)]
    return Meaning(kind, {"axes": axes, "keepdims": True}, {})


REDUCTIONS = {
    "ReduceMean": "mean",
    "ReduceSum": "sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
}


def reduction(call: Call) -> Meaning:
    """Reduce…, with its axes in order."""
    rank = len(call.shape())
    axes = call.either("axes", 1)
    if not axes:
        if call.get("noop_with_empty_axes", 0):
            return Meaning("identity", {}, {})
        axes = [*range(rank)]
    names = [axis_name(axis, rank) for axis in sorted(axis % rank for axis in axes)]
    attributes = {"axes": names, "keepdims": bool(call.get("keepdims", 1))}
    return Meaning(REDUCTIONS[call.op_type], attributes, {})


def lrn(call: Call) -> Meaning:
    """LRN with its defaults."""
    attributes = {"size": call.get("size"), "alpha": call.get("alpha", 1e-4)}
    return Meaning(
        "lrn", attributes | {"beta": call.get("beta", 0.75), "bias": call.get("bias", 1.0)}, {}
    )


LAYERS = {
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batch_norm,
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    **dict.fromkeys(REDUCTIONS, reduction),
    "LRN": lrn,
}
