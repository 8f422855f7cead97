"""EfficientNet-Lite built from Keras layers, with PyTorch's weights.

Architecture: github.com/tensorflow/tpu, models/official/efficientnet/lite: MBConv blocks without
squeeze-and-excitation, ReLU6, stem, head, first and last stage not scaled.
"""

import math
from typing import Any

from deltann.images.preprocessing import Preprocessing

# width and depth coefficients
SCALES = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1)}
SCALES |= {"efficientnet_lite2": (1.1, 1.2)}
# repeats, kernel, stride, expansion, filters
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, DIVISOR, EPSILON = 32, 1280, 8, 1e-3


def _named(module: str) -> str:
    """A layer's name. TensorFlow refuses a leading `_`, and PyTorch a `.`."""
    return "lite-" + module.replace(".", "-")


def _module(layer: str) -> str:
    """The name of the PyTorch module that a layer is named after."""
    return layer.removeprefix("lite-").replace("-", ".")


def _filters(filters: int, width: float) -> int:
    """Filters scaled and rounded to a multiple of 8, never down by more than a tenth."""
    scaled = filters * width
    rounded = max(DIVISOR, int(scaled + DIVISOR / 2) // DIVISOR * DIVISOR)
    return rounded + DIVISOR if rounded < 0.9 * scaled else rounded


def blocks(name: str) -> list[dict]:
    """Every block's kernel, stride, expansion and filters, in order."""
    width, depth = SCALES[name]
    result = []
    for number, (repeats, kernel, stride, expansion, filters) in enumerate(STAGES):
        outer = number in (0, len(STAGES) - 1)
        for repeat in range(repeats if outer else math.ceil(repeats * depth)):
            result.append(
                {
                    "kernel": kernel,
                    "stride": stride if repeat == 0 else 1,
                    "expansion": expansion,
                    "filters": _filters(filters, width),
                }
            )
    return result


def build(network: Any, name: str, preprocessing: Preprocessing) -> Any:
    """The Keras model with the weights of the PyTorch module.

    Args:
        network: `torch.nn.Module` of the package efficientnet_lite_pytorch.
        name: a key of `SCALES`.
        preprocessing: its crop and classes.

    Returns:
        `keras.Model`: (1, crop, crop, 3) float32 to logits (1, classes) float32.

    Raises:
        ValueError: a weight without a layer, or of another shape.
    """
    model = architecture(name, preprocessing)
    copy_weights({key: value.numpy() for key, value in network.state_dict().items()}, model)
    return model


def architecture(name: str, preprocessing: Preprocessing) -> Any:
    """The Keras model, its layers named after the modules in PyTorch."""
    from keras import Model, layers

    def normalised(x: Any, layer: str, activate: bool = True) -> Any:
        x = layers.BatchNormalization(epsilon=EPSILON, name=_named(layer))(x)
        return layers.ReLU(6.0, name=_named(f"{layer}.relu6"))(x) if activate else x

    def convolved(x: Any, layer: str, filters: int, kernel: int = 1, stride: int = 1) -> Any:
        settings = {"strides": stride, "padding": "same", "use_bias": False}
        return layers.Conv2D(filters, kernel, name=_named(layer), **settings)(x)

    inputs = x = layers.Input((*preprocessing.crop, 3), batch_size=1, name="image")
    x = normalised(convolved(x, "_conv_stem", STEM, 3, 2), "_bn0")
    for number, block in enumerate(blocks(name)):
        stem, entry, filters = f"_blocks.{number}.", x, x.shape[-1]
        if block["expansion"] > 1:
            filters *= block["expansion"]
            x = normalised(convolved(x, stem + "_expand_conv", filters), stem + "_bn0")
        x = layers.DepthwiseConv2D(
            block["kernel"],
            strides=block["stride"],
            padding="same",
            use_bias=False,
            name=_named(stem + "_depthwise_conv"),
        )(x)
        x = normalised(x, stem + "_bn1")
        x = convolved(x, stem + "_project_conv", block["filters"])
        x = normalised(x, stem + "_bn2", activate=False)
        if block["stride"] == 1 and entry.shape[-1] == block["filters"]:
            x = layers.Add(name=_named(stem + "add"))([x, entry])
    x = normalised(convolved(x, "_conv_head", HEAD), "_bn1")
    x = layers.GlobalAveragePooling2D(name=_named("_avg_pooling"))(x)
    return Model(inputs, layers.Dense(preprocessing.classes, name=_named("_fc"))(x), name=name)


def copy_weights(weights: dict, model: Any) -> None:
    """Set a Keras model's weights from PyTorch's.

    A convolution's kernel goes from (out, in, height, width) to (height, width, in, out), a
    depthwise one's from (channel, 1, height, width) to (height, width, channel, 1), a dense
    layer's from (out, in) to (in, out).

    Args:
        weights: name in the state dict to array.
        model: `keras.Model` whose layers are named as the modules.

    Raises:
        ValueError: a weight without a layer, or of another shape.
    """
    from keras import layers

    left = {name for name in weights if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        stem = _module(layer.name)
        if not layer.weights:
            continue
        if isinstance(layer, layers.BatchNormalization):
            names = [f"{stem}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
            values = [weights[name] for name in names]
        else:
            names = [f"{stem}.weight"] + ([f"{stem}.bias"] if layer.use_bias else [])
            kernel = weights[names[0]]
            if isinstance(layer, layers.DepthwiseConv2D):
                kernel = kernel.transpose(2, 3, 0, 1)
            else:
                kernel = kernel.T if kernel.ndim == 2 else kernel.transpose(2, 3, 1, 0)
            values = [kernel, *(weights[name] for name in names[1:])]
        layer.set_weights(values)
        left -= set(names)
    if left:
        raise ValueError(f"weights without a layer: {sorted(left)[:5]}")
