"""Cases of Keras: a layer with its configuration, the reference from TensorFlow in float64.

A case's settings have `layer`, the name of a class of `keras.layers`, and `arguments` for it; or
`own`, one of the functions below.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats import keras_file
from deltann.operators.case import NHWC, SEED, Case, case, grid

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tensorflow"
C, OUT = NHWC[3], 2 * NHWC[3]
PADDINGS = ["valid", "same"]
LAYERS: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("convolution", "Conv2D", [
        *grid(kernel_size=[3, 2], strides=[1, 2], padding=PADDINGS),
        *grid(kernel_size=[[5, 3]], strides=[[2, 1]], padding=PADDINGS, use_bias=[True, False]),
        *grid(kernel_size=[3], dilation_rate=[2, [1, 3]], padding=PADDINGS),
        *grid(kernel_size=[3], groups=[2, C], strides=[1, 2], padding=["same"]),
        *grid(kernel_size=[3], activation=["relu", "relu6", "gelu"], padding=["same"]),
    ]),
    ("convolution", "DepthwiseConv2D", [
        *grid(kernel_size=[3], strides=[1, 2], padding=PADDINGS, depth_multiplier=[1, 2]),
        *grid(kernel_size=[3], dilation_rate=[2], padding=PADDINGS),
        *grid(kernel_size=[3, 2], strides=[2], use_bias=[False], padding=["same"]),
    ]),
    ("convolution", "SeparableConv2D", grid(kernel_size=[3], filters=[8], padding=PADDINGS)),
    ("transposed_convolution", "Conv2DTranspose", [
        *grid(kernel_size=[3, 4], strides=[2, 3], padding=PADDINGS),
        *grid(kernel_size=[3], strides=[2], padding=PADDINGS, output_padding=[0, 1]),
    ]),
    ("max_pool", "MaxPooling2D", [
        *grid(pool_size=[2, 3], strides=[1, 2, 3], padding=PADDINGS),
        *grid(pool_size=[[3, 2]], strides=[[2, 3]], padding=PADDINGS),
    ]),
    ("average_pool", "AveragePooling2D", [
        *grid(pool_size=[2, 3], strides=[1, 2, 3], padding=PADDINGS),
        *grid(pool_size=[[3, 2]], strides=[[2, 3]], padding=PADDINGS),
    ]),
    ("adaptive_pool", "GlobalAveragePooling2D", grid(keepdims=[False, True])),
    ("adaptive_pool", "GlobalMaxPooling2D", grid(keepdims=[False, True])),
    ("resize", "UpSampling2D", grid(size=[2, [2, 3]], interpolation=["nearest", "bilinear"])),
    ("resize", "Resizing", [
        item | {"height": size[0], "width": size[1]}
        for size in ([7, 21], [25, 9], [22, 28])
        for item in grid(interpolation=["nearest", "bilinear", "bicubic"])
    ]),
    ("normalisation", "BatchNormalization", [
        *grid(epsilon=[1e-3, 1e-5], center=[True, False], scale=[True, False]),
        {"axis": 1},
    ]),
    ("normalisation", "LayerNormalization", grid(epsilon=[1e-3, 0.1], axis=[-1, [1, 2, 3]])),
    ("normalisation", "GroupNormalization", grid(groups=[1, 2, -1], epsilon=[1e-3, 0.1])),
    ("normalisation", "UnitNormalization", grid(axis=[-1, 1])),
    ("activation", "ReLU", [
        {}, *grid(max_value=[6, 2.5], negative_slope=[0, 0.2], threshold=[0, 0.5]),
        {"threshold": 0.5}, {"negative_slope": 0.3},
    ]),
    ("activation", "LeakyReLU", [{}, {"negative_slope": 0.1}]),
    ("activation", "ELU", [{}, {"alpha": 0.5}]),
    ("activation", "PReLU", grid(shared_axes=[[1, 2], [1, 2, 3]])),
    ("activation", "Activation", grid(activation=[
        "elu", "selu", "celu", "sigmoid", "hard_sigmoid", "hard_silu", "silu", "tanh", "softplus",
        "softsign", "mish", "gelu", "log_sigmoid", "hard_tanh", "hard_shrink", "soft_shrink",
        "relu6", "tanh_shrink", "glu", "squareplus", "exponential",
    ])),
    ("softmax", "Softmax", grid(axis=[-1, 1, 2])),
    ("pad", "ZeroPadding2D", grid(padding=[1, [2, 1], [[1, 0], [2, 3]]])),
    ("pad", "Cropping2D", grid(cropping=[1, [[1, 0], [2, 3]]])),
    ("move", "Permute", grid(dims=[[3, 1, 2], [2, 1, 3], [1, 3, 2]])),
    ("reshape", "Reshape", grid(target_shape=[[-1], [14, 11, 6], [154, 6], [11, 84]])),
    ("reshape", "Flatten", grid(data_format=["channels_last", "channels_first"])),
    ("dense", "Dense", grid(units=[5], use_bias=[True, False], activation=[None, "softmax"])),
    ("binary", "Rescaling", grid(scale=[0.5], offset=[0, 1.5])),
]  # fmt: skip


def _concat(keras: Any, image: Any, axis: int) -> Any:
    return keras.layers.Concatenate(axis)([image, keras.layers.Rescaling(-2.0)(image)])


def _merge(keras: Any, image: Any, name: str) -> Any:
    return getattr(keras.layers, name)()([keras.layers.Rescaling(0.5, 0.25)(image), image])


def _gelu_tanh(keras: Any, image: Any) -> Any:
    return keras.ops.gelu(image, approximate=True)


def _reduce(keras: Any, image: Any, name: str, axis: Any, keepdims: bool) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return getattr(keras.ops, name)(image, axis=axis, keepdims=keepdims)


def _operator(keras: Any, image: Any, name: str, **arguments: Any) -> Any:
    if "pad_width" in arguments:
        arguments["pad_width"] = tuple(map(tuple, arguments["pad_width"]))
    return getattr(keras.ops, name)(image, **arguments)


OWN: dict[str, Callable] = {
    "concat": _concat,
    "merge": _merge,
    "gelu_tanh": _gelu_tanh,
    "reduce": _reduce,
    "operator": _operator,
}


def cases() -> Iterator[Case]:
    """See `case.Source`."""
    for kind, name, items in LAYERS:
        for item in items:
            more = {"filters": OUT} if name in ("Conv2D", "Conv2DTranspose") else {}
            yield case(kind, name, {"layer": name, "arguments": more | item}, NHWC, item)
    yield from _own("move", "concat", "Concatenate", grid(axis=[-1, 1, 2]))
    merges = ["Add", "Subtract", "Multiply", "Maximum", "Average", "Minimum"]
    yield from _own("binary", "merge", "", grid(name=merges))
    yield from _own("activation", "gelu_tanh", "gelu_tanh", [{}])
    reductions = ["mean", "sum", "max", "min", "prod", "std", "var"]
    items = grid(name=reductions, axis=[-1, [1, 2]], keepdims=[False, True])
    yield from _own("reduction", "reduce", "", items)
    widths = [[0, 0], [1, 2], [0, 3], [0, 0]]
    items = grid(name=["pad"], pad_width=[widths], mode=["constant", "reflect", "symmetric"])
    yield from _own("pad", "operator", "", items)
    for name in ("exp", "erf", "abs", "round", "floor", "ceil", "sign", "sin", "cos", "square"):
        yield from _own("unary", "operator", "", [{"name": name}])
    yield from _own("move", "operator", "", grid(name=["flip"], axis=[1, 3]))
    yield from _own("move", "operator", "", grid(name=["roll"], shift=[2], axis=[2]))


def _own(kind: str, own: str, what: str, items: list[dict]) -> Iterator[Case]:
    for item in items:
        label = {name: value for name, value in item.items() if name != "name"}
        settings = {"own": own, "arguments": item}
        yield case(kind, what or item["name"], settings, NHWC, label)


def build(case: Case, output: Path) -> None:
    """See `case.Source`."""
    keras_file.save(_model(case, "float32"), output)


def references(case: Case, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
    """See `case.Source`."""
    keras = _keras()
    models: dict[str, Any] = {}
    answers = []
    for value in inputs:
        kind = str(value.dtype)
        models[kind] = models.get(kind) or _model(case, kind)
        answers.append(keras.ops.convert_to_numpy(models[kind](value)))
    return answers


def _keras() -> Any:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    return keras


def _model(case: Case, dtype: str) -> Any:
    """The case as a `keras.Model` that computes in a type, its weights always the same."""
    import numpy as np

    keras = _keras()
    before = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        image = keras.Input(case.shape[1:], dtype=dtype)
        given = case.settings
        if "layer" in given:
            answer = getattr(keras.layers, given["layer"])(**_tuples(given["arguments"]))(image)
        else:
            answer = OWN[given["own"]](keras, image, **given["arguments"])
        model = keras.Model(image, answer)
    finally:
        keras.config.set_floatx(before)
    random, values = np.random.default_rng(SEED), []
    for weight in model.weights:
        low = 0.02 if "variance" in weight.path or "gamma" in weight.path else -1
        values.append(random.uniform(low, 1, weight.shape).astype(np.float32))
    model.set_weights(values)
    return model


def _tuples(arguments: dict) -> dict:
    """Keras takes tuples where JSON has lists."""
    return {
        name: tuple(tuple(item) if isinstance(item, list) else item for item in value)
        if isinstance(value, list)
        else value
        for name, value in arguments.items()
    }
