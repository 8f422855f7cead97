"""Operators of ONNX after their specification, in NumPy, where `onnx.reference` 1.23 isn't right.

`onnx.reference` is this project's reference for all others. Each function takes the node's inputs
(None for one that is left out) and its attributes, and computes in the type of the first input.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def batch_normalization(
    x: "np.ndarray", scale: Any, shift: Any, mean: Any, variance: Any, epsilon: float = 1e-5
) -> "np.ndarray":
    """BatchNormalization-15, in inference."""
    scale, shift, mean, variance = (item[:, None, None] for item in (scale, shift, mean, variance))
    return (x - mean) / (variance + epsilon) ** 0.5 * scale + shift


def group_normalization(
    x: "np.ndarray", scale: Any, shift: Any, num_groups: int, epsilon: float = 1e-5
) -> "np.ndarray":
    """GroupNormalization-21: one scale for each channel."""
    grouped = x.reshape(1, num_groups, -1)
    mean, variance = grouped.mean(2, keepdims=True), grouped.var(2, keepdims=True)
    normal = ((grouped - mean) / (variance + epsilon) ** 0.5).reshape(x.shape)
    return normal * scale[:, None, None] + shift[:, None, None]


def lrn(
    x: "np.ndarray", size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> "np.ndarray":
    """LRN-13: squares of neighbouring channels, floor((size-1)/2) before and the rest behind."""
    import numpy as np

    before = (size - 1) // 2
    padded = np.pad(x**2, [(0, 0), (before, size - 1 - before), (0, 0), (0, 0)])
    sums = sum(padded[:, start : start + x.shape[1]] for start in range(size))
    return x / (bias + alpha / size * sums) ** beta


def lp_normalization(x: "np.ndarray", axis: int = -1, p: int = 2) -> "np.ndarray":
    """LpNormalization-1."""
    return x / (abs(x) ** p).sum(axis, keepdims=True) ** (1 / p)


def mean_variance_normalization(x: "np.ndarray", axes: Any = (0, 2, 3)) -> "np.ndarray":
    """MeanVarianceNormalization-13."""
    return (x - x.mean(tuple(axes), keepdims=True)) / (x.std(tuple(axes), keepdims=True) + 1e-9)


def softmax_11(x: "np.ndarray", axis: int = 1, log: bool = False) -> "np.ndarray":
    """Softmax-11 and LogSoftmax-11: over all axes from `axis` on."""
    import numpy as np

    flat = x.reshape(math.prod(x.shape[:axis]), -1)
    flat = flat - flat.max(1, keepdims=True)
    answer = flat - np.log(np.exp(flat).sum(1, keepdims=True))
    return (answer if log else np.exp(answer)).reshape(x.shape)


def pad(x: "np.ndarray", pads: Any, value: Any = None, mode: str = "constant") -> "np.ndarray":
    """Pad-13 with a constant; negative numbers crop."""
    import numpy as np

    pairs = list(zip(pads[: x.ndim], pads[x.ndim :], strict=True))
    more = [(max(0, before), max(0, after)) for before, after in pairs]
    x = np.pad(x, more, constant_values=0 if value is None else value)
    kept = [
        slice(max(0, -before), side - max(0, -after))
        for (before, after), side in zip(pairs, x.shape, strict=True)
    ]
    return x[tuple(kept)]


def conv_transpose(
    x: "np.ndarray", weight: Any, shift: Any = None, *, kernel_shape: list[int],
    strides: tuple | list = (1, 1), pads: tuple | list = (0, 0, 0, 0), group: int = 1,
    output_shape: list[int] | None = None,
) -> "np.ndarray":  # fmt: skip
    """ConvTranspose-11: each number of the image adds the kernel to the answer."""
    import numpy as np

    _, channels, height, width = x.shape
    sides = [
        (side - 1) * stride + kernel
        for side, stride, kernel in zip((height, width), strides, kernel_shape, strict=True)
    ]
    per_group, out = channels // group, weight.shape[1]
    full = np.zeros((1, group * out, *(side + 2 * sum(kernel_shape) for side in sides)), x.dtype)
    for number in range(group):
        part = slice(number * per_group, (number + 1) * per_group)
        into = full[0, number * out : (number + 1) * out]
        for row in range(height):
            for column in range(width):
                top, left = row * strides[0], column * strides[1]
                added = np.tensordot(x[0, part, row, column], weight[part], 1)
                into[:, top : top + kernel_shape[0], left : left + kernel_shape[1]] += added
    if output_shape:
        total = [side - wanted for side, wanted in zip(sides, output_shape, strict=True)]
        after = [item // 2 for item in total]
        pads = [*(a - b for a, b in zip(total, after, strict=True)), *after]
    top, left, bottom, right = pads
    full = full[:, :, top : sides[0] - bottom, left : sides[1] - right]
    return full if shift is None else full + shift[:, None, None]


def quantize_dequantize(
    x: "np.ndarray", scale: Any, zero_point: Any, axis: int | None = None
) -> "np.ndarray":
    """QuantizeLinear-13, then DequantizeLinear-13."""
    import numpy as np

    limits, kind = np.iinfo(zero_point.dtype), x.dtype
    shape = (-1, 1, 1) if axis is not None else ()
    scale, zero = (np.reshape(item, shape).astype(np.float32) for item in (scale, zero_point))
    whole = np.clip(np.round(x.astype(np.float32) / scale) + zero, limits.min, limits.max)
    return ((whole - zero) * scale).astype(kind)


def for_node(op: str, opset: int, attributes: dict) -> Callable | None:
    """The function for an operator; None if `onnx.reference` is right."""
    from deltann.operators.onnx_resize import resize

    if op in ("Softmax", "LogSoftmax") and opset < 13:
        return lambda x, axis=1: softmax_11(x, axis, op == "LogSoftmax")
    if op == "ConvTranspose" and not ("output_shape" in attributes or attributes.get("group")):
        return None
    if op == "Pad" and (opset > 13 or attributes["mode"] != "constant"):
        return None
    if op == "Resize" and attributes.get("antialias"):
        return None
    functions: dict[str, Callable] = {
        "BatchNormalization": batch_normalization,
        "GroupNormalization": group_normalization,
        "LRN": lrn,
        "LpNormalization": lp_normalization,
        "MeanVarianceNormalization": mean_variance_normalization,
        "Pad": pad,
        "ConvTranspose": conv_transpose,
        "QuantizeDequantize": quantize_dequantize,
        "Resize": resize,
    }
    return functions.get(op)
