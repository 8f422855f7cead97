"""Which operators of PyTorch are tried, with which attributes."""

from collections.abc import Iterator
from typing import Any

from deltann.operators.case import CHANNELS, HEIGHT, NCHW, WIDTH, Case, case, grid

C = CHANNELS
CONVOLUTIONS: list[dict[str, Any]] = [
    *grid(kernel_size=[3, 2], stride=[1, 2], padding=[0, 1]),
    *grid(kernel_size=[3], padding=[1], groups=[2, C], stride=[1, 2]),
    *grid(kernel_size=[3], dilation=[2, [1, 3]], padding=["same", 2]),
    *grid(kernel_size=[[5, 3]], stride=[[2, 1]], padding=[[2, 0], [1, 2]]),
    *grid(kernel_size=[3], padding=[1], padding_mode=["reflect", "replicate", "circular"]),
    *grid(kernel_size=[4], padding=["same", "valid"]),
    {"kernel_size": 1, "bias": False},
]
TRANSPOSED: list[dict[str, Any]] = [
    *grid(kernel_size=[3], stride=[2], padding=[0, 1], output_padding=[0, 1]),
    *grid(kernel_size=[3, 4], stride=[1, [2, 3]], padding=[1]),
    *grid(kernel_size=[3], stride=[2], groups=[2, C], dilation=[1, 2]),
]
MAX_POOLS = [
    *grid(kernel_size=[2, 3], stride=[2], padding=[0, 1], ceil_mode=[False, True]),
    *grid(kernel_size=[[3, 2]], stride=[[2, 3], 1], padding=[[1, 0]], ceil_mode=[False, True]),
    *grid(kernel_size=[3], stride=[2], dilation=[2], padding=[1], ceil_mode=[False, True]),
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
]
AVERAGE_POOLS = [
    *grid(
        kernel_size=[3], stride=[2], padding=[0, 1], ceil_mode=[False, True],
        count_include_pad=[False, True],
    ),
    *grid(kernel_size=[2], stride=[2, 3], padding=[0, 1], ceil_mode=[True]),
    *grid(kernel_size=[2], divisor_override=[3], padding=[0, 1]),
    {"kernel_size": [3, 5], "stride": [1, 2], "padding": [1, 2], "count_include_pad": False},
]  # fmt: skip
RESIZES: list[dict[str, Any]] = [
    *grid(mode=["nearest", "nearest-exact"], size=[[7, 21], [25, 9]]),
    *grid(mode=["nearest", "nearest-exact"], scale_factor=[2, 2.5, 0.6]),
    *grid(mode=["bilinear", "bicubic"], size=[[7, 21]], align_corners=[False, True]),
    *grid(mode=["bilinear", "bicubic"], scale_factor=[2, 1.7], align_corners=[False, True]),
    *grid(mode=["bilinear", "bicubic"], size=[[5, 9]], antialias=[True]),
    {"mode": "area", "size": [4, 5]},
    {"mode": "bilinear", "scale_factor": 1.7, "recompute_scale_factor": True},
]
ACTIVATIONS: list[tuple[str, dict]] = [
    ("ReLU", {}), ("ReLU6", {}), ("Hardtanh", {"min_val": -0.5, "max_val": 2}),
    ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.3}), ("ELU", {}), ("ELU", {"alpha": 0.5}),
    ("CELU", {}), ("CELU", {"alpha": 0.5}), ("SELU", {}), ("GELU", {}),
    ("GELU", {"approximate": "tanh"}), ("Hardsigmoid", {}), ("Hardswish", {}), ("SiLU", {}),
    ("Mish", {}), ("Softplus", {}), ("Softplus", {"beta": 2}), ("Softplus", {"threshold": 1}),
    ("Softsign", {}), ("Threshold", {"threshold": 0.5, "value": -2}), ("Hardshrink", {}),
    ("Softshrink", {"lambd": 0.7}), ("LogSigmoid", {}), ("Tanhshrink", {}), ("Sigmoid", {}),
    ("Tanh", {}), ("GLU", {"dim": 1}), ("GLU", {"dim": 3}), ("PReLU", {"init": 0.1}),
]  # fmt: skip
UNARY: tuple[str, ...] = (
    "exp",
    "erf",
    "abs",
    "round",
    "floor",
    "ceil",
    "trunc",
    "frac",
    "sign",
    "sin",
    "cos",
)
UNARY += ("atan", "square", "neg", "expm1", "asinh")
POSITIVE = ("sqrt", "rsqrt", "log", "log1p", "log2", "reciprocal")
PADS = [
    *grid(pad=[[1, 2, 3, 0], [0, 0, -1, -2], [2, -1, 0, 1]], mode=["constant"], value=[0, 1.5]),
    *grid(pad=[[1, 2, 3, 0], [2, 2, 1, 1]], mode=["reflect", "replicate", "circular"]),
    {"pad": [0, 0, 0, 0, 1, 2], "mode": "constant", "value": 0},
]
CONSTANTS: tuple[list[int], ...] = ([C, 1, 1], [WIDTH], [1, 1, HEIGHT, 1], [])


def cases() -> Iterator[Case]:
    """All cases of PyTorch."""
    yield from _weighted()
    for name, kind, arguments in [
        *(("MaxPool2d", "max_pool", item) for item in MAX_POOLS),
        *(("AvgPool2d", "average_pool", item) for item in AVERAGE_POOLS),
        *(("LPPool2d", "average_pool", item) for item in grid(norm_type=[2], kernel_size=[2, 3])),
        *(
            (name, "adaptive_pool", {"output_size": size})
            for name in ("AdaptiveAvgPool2d", "AdaptiveMaxPool2d")
            for size in (1, [3, 5], [11, 7])
        ),
        *((name, "activation", item) for name, item in ACTIVATIONS),
        *((name, "softmax", {"dim": d}) for name in ("Softmax", "LogSoftmax") for d in (1, 2, -1)),
        *(("LocalResponseNorm", "lrn", item) for item in grid(size=[3, 4], alpha=[0.5], k=[1, 2])),
        *(("Flatten", "reshape", item) for item in grid(start_dim=[1, 2], end_dim=[-1, 2])),
        ("PixelUnshuffle", "reshape", {"downscale_factor": 1}),
    ]:
        yield _layer(kind, name, arguments)
    yield from _functions()
    yield from _moves()


def _layer(kind: str, name: str, arguments: dict, shown: dict | None = None) -> Case:
    label = arguments if shown is None else shown
    return case(kind, name, {"layer": name, "arguments": arguments}, NCHW, label)


def _weighted() -> Iterator[Case]:
    """Operators with weights."""
    for item in CONVOLUTIONS:
        given = {"in_channels": C, "out_channels": 2 * C} | item
        yield _layer("convolution", "Conv2d", given, item)
    for item in TRANSPOSED:
        given = {"in_channels": C, "out_channels": 2 * C} | item
        yield _layer("transposed_convolution", "ConvTranspose2d", given, item)
    for item in grid(eps=[1e-5, 1e-2], affine=[True, False]):
        yield _layer("normalisation", "BatchNorm2d", {"num_features": C} | item, item)
        yield _layer("normalisation", "InstanceNorm2d", {"num_features": C} | item, item)
    for item in grid(num_groups=[1, 2], eps=[1e-5, 0.1], affine=[True, False]):
        yield _layer("normalisation", "GroupNorm", {"num_channels": C} | item, item)
    for shape in ([WIDTH], [C, HEIGHT, WIDTH]):
        for item in grid(eps=[1e-5, 0.1], elementwise_affine=[True, False]):
            item["normalized_shape"] = shape
            yield _layer("normalisation", "LayerNorm", item)
    yield _layer("dense", "Linear", {"in_features": WIDTH, "out_features": 5}, {"bias": True})
    settings = {"own": "dense", "arguments": {"constant": [C, 5]}}
    yield case("dense", "matmul", settings, NCHW, "constant")
    yield case("dense", "matmul", {"own": "product"}, NCHW, "itself_transposed")
    yield case("activation", "prelu", {"own": "prelu"}, NCHW, "per_channel")


def _functions() -> Iterator[Case]:
    """Functions without weights."""
    for item in RESIZES:
        settings = {"function": "interpolate", "arguments": item}
        yield case("resize", "interpolate", settings, NCHW, item)
    for item in PADS:
        yield case("pad", "pad", {"function": "pad", "arguments": item}, NCHW, item)
    for name in (*UNARY, *POSITIVE):
        yield case("unary", name, {"tensor": name}, NCHW, "", name in POSITIVE)
    for name in ("mean", "sum", "amax", "amin", "std", "var", "argmax", "logsumexp", "norm"):
        for item in grid(
            dim=[1, [2, 3], -1] if name != "argmax" else [1, -1], keepdim=[False, True]
        ):
            yield case("reduction", name, {"tensor": name, "arguments": item}, NCHW, item)
    for item in grid(dim=[[2, 3]], correction=[0, 2]):
        yield case("reduction", "var", {"tensor": "var", "arguments": item}, NCHW, item)
    operators = ("add", "sub", "mul", "div", "maximum", "remainder", "fmod")
    for operator in (*operators, "floor_divide", "trunc_divide", "pow"):
        for shape in CONSTANTS if operator in ("sub", "div") else CONSTANTS[:1]:
            for first in (False, True):
                given = {"constant": shape, "operator": operator, "constant_first": first}
                settings = {"own": "binary", "arguments": given}
                label = f"{'x'.join(map(str, shape)) or 'scalar'}{'-constant_first' * first}"
                yield case("binary", operator, settings, NCHW, label, operator == "pow")


def _moves() -> Iterator[Case]:
    """Operators that change no number, only where it is."""
    for dim in (1, 2, 3):
        yield case("move", "cat", {"own": "concat", "arguments": {"dim": dim}}, NCHW, {"dim": dim})
    for dim, sizes in ((1, [1, 3, 2]), (2, [4, 7]), (3, [5, 9])):
        item = {"sizes": sizes, "dim": dim, "which": 1}
        yield case("move", "split", {"own": "part", "arguments": item}, NCHW, item)
    for item in grid(dim=[1, 2, 3], start=[1], stop=[-1, 100], step=[1, 2]):
        yield case("move", "slice", {"own": "slice", "arguments": item}, NCHW, item)
    for order in ([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2]):
        settings = {"tensor": "permute", "arguments": {"order": order}}
        yield case("move", "permute", settings, NCHW, {"order": order})
    moves: list[tuple[str, dict]] = [
        ("flip", {"dims": [1]}), ("flip", {"dims": [2, 3]}), ("roll", {"shifts": 2, "dims": 3}),
        ("repeat_interleave", {"repeats": 2, "dim": 2}),
        ("tile", {"dims": [1, 2, 1, 3]}), ("tril", {"diagonal": 1}), ("triu", {}),
    ]  # fmt: skip
    for name, item in moves:
        yield case("move", name, {"tensor": name, "arguments": item}, NCHW, item)
    for item in grid(groups=[2, 3]):
        yield case(
            "reshape", "channel_shuffle", {"own": "channel_shuffle", "arguments": item}, NCHW, item
        )
    shape = (1, 12, HEIGHT, WIDTH)
    item = {"upscale_factor": 2}
    yield case("reshape", "PixelShuffle", {"layer": "PixelShuffle", "arguments": item}, shape, item)
    item = {"downscale_factor": 2}
    settings = {"layer": "PixelUnshuffle", "arguments": item}
    yield case("reshape", "PixelUnshuffle", settings, (1, C, 10, WIDTH), item)
