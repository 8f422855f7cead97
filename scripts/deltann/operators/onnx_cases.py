"""Which operators of ONNX are tried, with which attributes."""

from collections.abc import Iterator
from typing import Any

from deltann.operators.case import CHANNELS, HEIGHT, NCHW, WIDTH, Case, case, grid
from deltann.operators.onnx_moves import moves

C, OUT = CHANNELS, 2 * CHANNELS
OPSET = 13
CONVOLUTIONS: list[dict[str, Any]] = [
    *grid(
        kernel_shape=[[3, 3], [2, 2]], strides=[[1, 1], [2, 2]],
        pads=[[0, 0, 0, 0], [1, 1, 1, 1]],
    ),
    *grid(kernel_shape=[[3, 3]], strides=[[2, 2]], pads=[[0, 0, 1, 1], [1, 0, 2, 1]]),
    *grid(
        kernel_shape=[[3, 3], [2, 5]], strides=[[2, 2], [1, 2]],
        auto_pad=["SAME_UPPER", "SAME_LOWER", "VALID"],
    ),
    *grid(kernel_shape=[[3, 3]], dilations=[[2, 2], [1, 3]], pads=[[2, 2, 2, 2]]),
    *grid(kernel_shape=[[3, 3]], dilations=[[2, 2]], auto_pad=["SAME_UPPER", "SAME_LOWER"]),
    *grid(kernel_shape=[[3, 3]], group=[2, C], strides=[[1, 1], [2, 2]], pads=[[1, 1, 1, 1]]),
]  # fmt: skip
TRANSPOSED: list[dict[str, Any]] = [
    *grid(kernel_shape=[[3, 3]], strides=[[2, 2]], pads=[[0, 0, 0, 0], [1, 1, 1, 1]],
          output_padding=[[0, 0], [1, 1]]),
    *grid(kernel_shape=[[3, 3]], strides=[[2, 2]], auto_pad=["SAME_UPPER", "SAME_LOWER"]),
    *grid(kernel_shape=[[4, 4]], strides=[[2, 2], [3, 2]], pads=[[1, 0, 2, 1]], group=[1, 2]),
    {"kernel_shape": [3, 3], "strides": [2, 2], "output_shape": [22, 28]},
    {"kernel_shape": [3, 3], "dilations": [2, 2]},
]  # fmt: skip
WINDOWS: list[dict[str, Any]] = [
    *grid(kernel_shape=[[2, 2], [3, 3]], strides=[[2, 2]], ceil_mode=[0, 1],
          pads=[[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]]),
    *grid(kernel_shape=[[3, 2]], strides=[[2, 3]], auto_pad=["SAME_UPPER", "SAME_LOWER", "VALID"]),
    *grid(kernel_shape=[[2, 3]], strides=[[3, 3]], ceil_mode=[0, 1]),
]  # fmt: skip
PADDED = [item for item in WINDOWS if "auto_pad" in item or any(item.get("pads", [0]))]
MODES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
ACTIVATIONS: list[tuple[str, int, dict]] = [
    ("Relu", 13, {}), ("LeakyRelu", 13, {}), ("LeakyRelu", 13, {"alpha": 0.3}), ("Elu", 13, {}),
    ("Elu", 13, {"alpha": 0.5}), ("Selu", 13, {}), ("Selu", 13, {"alpha": 1.5, "gamma": 0.8}),
    ("Celu", 13, {"alpha": 0.5}), ("HardSigmoid", 13, {}),
    ("HardSigmoid", 13, {"alpha": 1 / 6, "beta": 0.5}), ("HardSigmoid", 13, {"alpha": 0.4}),
    ("HardSwish", 14, {}), ("Sigmoid", 13, {}), ("Tanh", 13, {}), ("Softplus", 13, {}),
    ("Softsign", 13, {}), ("ThresholdedRelu", 13, {}), ("ThresholdedRelu", 13, {"alpha": 0.5}),
    ("Mish", 18, {}), ("Gelu", 20, {}), ("Gelu", 20, {"approximate": "tanh"}),
    ("Shrink", 13, {"lambd": 0.7, "bias": 0.2}), ("Hardmax", 13, {"axis": 1}),
]  # fmt: skip
UNARY = ("Exp", "Erf", "Abs", "Round", "Floor", "Ceil", "Sign", "Sin", "Cos", "Atan", "Neg", "Sinh")
POSITIVE = ("Sqrt", "Log", "Reciprocal")
REDUCTIONS: tuple[str, ...] = (
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
)
REDUCTIONS += ("ReduceLogSumExp", "ReduceSumSquare")


def cases() -> Iterator[Case]:
    """All cases of ONNX."""
    yield from _weighted()
    yield from _pools()
    yield from _resizes()
    for op, opset, item in ACTIVATIONS:
        yield _node("activation", op, item, opset=opset)
    for low, high in ((0, 6), (-0.5, 2), (None, 1), (0.5, None)):
        inputs = [None if bound is None else {"value": bound} for bound in (low, high)]
        yield _node("activation", "Clip", {}, inputs, label={"min": low, "max": high})
    for shape in ([C, 1, 1], [1], [1, 1, WIDTH]):
        yield _node("activation", "PRelu", {}, [{"shape": shape}], label={"slope": shape})
    for op in ("Softmax", "LogSoftmax"):
        for opset, axis in ((13, 1), (13, 2), (13, -1), (11, 1), (11, 2)):
            yield _node(
                "softmax", op, {"axis": axis}, opset=opset, label={"opset": opset, "axis": axis}
            )
    for op in (*UNARY, *POSITIVE):
        yield _node("unary", op, {}, positive=op in POSITIVE)
    yield from _reductions()
    yield from _binaries()
    yield from moves()


def _node(
    kind: str, op: str, attributes: dict, inputs: list | None = None, opset: int = OPSET,
    label: Any = None, positive: bool = False, **more: Any,
) -> Case:  # fmt: skip
    settings = {"op": op, "opset": opset, "attributes": attributes, "inputs": inputs or []} | more
    return case(kind, op, settings, NCHW, attributes if label is None else label, positive)


def _weighted() -> Iterator[Case]:
    """Operators with weights."""
    for item in CONVOLUTIONS:
        weight = {"shape": [OUT, C // item.get("group", 1), *item["kernel_shape"]]}
        yield _node("convolution", "Conv", item, [weight, {"shape": [OUT]}])
    weight = {"shape": [OUT, C, 3, 3]}
    yield _node("convolution", "Conv", {}, [weight], label="no_bias")
    for item in TRANSPOSED:
        group = item.get("group", 1)
        weight = {"shape": [C, OUT // group, *item["kernel_shape"]]}
        inputs: list[dict] = [weight, {"shape": [OUT]}]
        yield _node("transposed_convolution", "ConvTranspose", item, inputs)
    pair = [{"shape": [C], "range": (0.2, 1.5)}, {"shape": [C]}]
    for epsilon in (1e-5, 1e-2):
        item = {"epsilon": epsilon}
        statistics = [{"shape": [C]}, {"shape": [C], "range": (0.02, 0.5)}]
        yield _node("normalisation", "BatchNormalization", item, [*pair, *statistics])
        yield _node("normalisation", "InstanceNormalization", item, pair)
        for axis in (-1, 1):
            shape = [WIDTH] if axis == -1 else [C, HEIGHT, WIDTH]
            inputs = [{"shape": shape, "range": (0.2, 1.5)}, {"shape": shape}]
            given = item | {"axis": axis}
            yield _node("normalisation", "LayerNormalization", given, inputs, 17)
        given = item | {"num_groups": 2}
        yield _node("normalisation", "GroupNormalization", given, pair, 21)
    shared = [{"value": [0.7] * C}] * 4
    yield _node("normalisation", "BatchNormalization", {}, shared, label="equal_parameters")
    for item in grid(p=[1, 2], axis=[1, -1]):
        yield _node("normalisation", "LpNormalization", item)
    for across in (0, 1):
        axes = [0, 2, 3] if across == 0 else [0, 1, 2, 3]
        yield _node("normalisation", "MeanVarianceNormalization", {"axes": axes})
    for item in grid(size=[3, 4, 5], alpha=[0.5], bias=[1.0, 2.0]):
        yield _node("lrn", "LRN", item)
    for first in (False, True):
        shape = [5, HEIGHT] if first else [WIDTH, 5]
        label = "constant_first" if first else "constant"
        yield _node("dense", "MatMul", {}, [{"shape": shape}], label=label, image_last=first)
    for item in grid(transA=[0, 1], transB=[0, 1], alpha=[1.0, 0.5], beta=[1.0, 2.0]):
        yield _gemm(item)


def _gemm(item: dict) -> Case:
    """Of a row, or a column: runners take one image, a first side of 1."""
    inner = 1 if item["transA"] else 10
    weight = {"shape": [5, inner] if item["transB"] else [inner, 5]}
    inputs = [weight, {"shape": [5]}]
    settings = {"op": "Gemm", "opset": OPSET, "attributes": item, "inputs": inputs}
    return case("dense", "Gemm", settings, (1, 10), item)


def _pools() -> Iterator[Case]:
    """Pooling."""
    for item in WINDOWS:
        yield _node("max_pool", "MaxPool", item)
        yield _node("average_pool", "AveragePool", item)
    for item in PADDED:
        yield _node("average_pool", "AveragePool", item | {"count_include_pad": 1})
    dilated = grid(kernel_shape=[[3, 3]], strides=[[2, 2]], dilations=[[2, 2]], ceil_mode=[0, 1])
    for item in dilated:
        yield _node("max_pool", "MaxPool", item)
        yield _node("average_pool", "AveragePool", item, opset=19)
    for p in (1, 2, 3):
        item = {"kernel_shape": [3, 3], "strides": [2, 2], "p": p}
        yield _node("average_pool", "LpPool", item, opset=18)
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        yield _node("adaptive_pool", op, {})


def _resizes() -> Iterator[Case]:
    """Resize, by scales and by sizes."""
    for scales in ([2.0, 2.0], [2.5, 1.75], [0.625, 0.5]):
        for coordinates in MODES:
            for item in [
                {"mode": "linear"},
                {"mode": "cubic"},
                *({"mode": "nearest", "nearest_mode": rounding} for rounding in ROUNDINGS),
            ]:
                yield _resize(item | {"coordinate_transformation_mode": coordinates}, scales)
    half: dict[str, Any] = {"mode": "cubic", "coordinate_transformation_mode": "half_pixel"}
    yield _resize(half | {"cubic_coeff_a": -0.5}, [2.5, 1.75])
    yield _resize(half | {"exclude_outside": 1}, [2.5, 1.75])
    for mode in ("linear", "cubic"):
        yield _resize(half | {"mode": mode, "antialias": 1}, [0.625, 0.5], 18)
    half["mode"] = "linear"
    for size in ([7, 21], [25, 9]):
        inputs = [None, None, {"value": [1, C, *size], "dtype": "int64"}]
        for mode in ("linear", "nearest"):
            item = half | {"mode": mode}
            yield _node("resize", "Resize", item, inputs, label={"size": size, "mode": mode})


def _resize(item: dict, scales: list[float], opset: int = OPSET) -> Case:
    inputs = [None, {"value": [1.0, 1.0, *scales], "dtype": "float32"}]
    return _node("resize", "Resize", item, inputs, opset, {"scales": scales} | item)


def _reductions() -> Iterator[Case]:
    for op in REDUCTIONS:
        for item in grid(axes=[[1], [2, 3], [-1]], keepdims=[0, 1]):
            yield _node("reduction", op, item)
    for axis in ([1], [2, 3]):
        inputs = [{"value": axis, "dtype": "int64"}]
        yield _node("reduction", "ReduceSum", {"keepdims": 0}, inputs, label={"axes": axis})
        yield _node("reduction", "ReduceMean", {}, inputs, 18, label={"opset": 18, "axes": axis})
    for item in grid(axis=[1, -1], keepdims=[0, 1]):
        yield _node("reduction", "ArgMax", item)


def _binaries() -> Iterator[Case]:
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Mod"):
        wide = op in ("Sub", "Div")
        for shape in ([C, 1, 1], [WIDTH], [1, 1, HEIGHT, 1], [])[: 4 if wide else 1]:
            for first in (False, True):
                constant = {"shape": shape, "range": (0.5, 2)}
                label = f"{'x'.join(map(str, shape)) or 'scalar'}{'-constant_first' * first}"
                yield _node(
                    "binary", op, {"fmod": 1} if op == "Mod" else {}, [constant],
                    label=label, positive=op == "Pow", image_last=first,
                )  # fmt: skip
