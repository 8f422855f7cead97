"""Keras's layers in the words of `deltann.steps`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltann.formats import keras_activations, keras_words, tensorflow_padding
from deltann.formats.keras_words import Said, Seen, axes, operand, pair, plain

if TYPE_CHECKING:
    import numpy as np

BINARY = {
    **{"Add": "add", "Subtract": "subtract", "Multiply": "multiply"},
    **{"Maximum": "maximum", "Minimum": "minimum"},
}
# What they do in training is left out in prediction.
IDENTITIES = (
    *("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *("ActivityRegularization", "Identity"),
)


def describe(seen: Seen) -> Said:
    """What a layer is."""
    name, layer = type(seen.operation).__name__, seen.operation
    if name in BINARY:
        return BINARY[name], {}, {}
    if name in IDENTITIES:
        return "identity", {}, {}
    if name in (*keras_activations.LAYERS, "Activation"):
        return keras_activations.layer(layer, len(seen.writes))
    if name in ("Reshape", "Flatten"):
        return _reshape(seen)
    return KINDS[name](seen) if name in KINDS else ("other", {}, {})


def _biased(layer: Any, weight: "np.ndarray") -> "dict[str, np.ndarray]":
    parameters = {"weight": weight}
    return parameters if layer.bias is None else parameters | {"bias": plain(layer.bias)}


def _convolution(seen: Seen) -> Said:
    """`Conv2D`, with a kernel (y, x, in / groups, out), and `DepthwiseConv2D`, (y, x, in, m)."""
    layer = seen.operation
    kernel, groups = plain(layer.kernel), 1
    if type(layer).__name__ == "DepthwiseConv2D":
        y, x, groups, multiplier = kernel.shape
        weight = kernel.transpose(2, 3, 0, 1).reshape(groups * multiplier, 1, y, x)
    else:
        weight, groups = kernel.transpose(3, 2, 0, 1), layer.groups
    strides, dilations = pair(layer.strides), pair(layer.dilation_rate)
    sides, window = seen.sides(seen.reads[0]), [*weight.shape[2:]]
    attributes = {
        "strides": strides,
        "dilations": dilations,
        "groups": groups,
        "pads": tensorflow_padding.pads(layer.padding, sides, window, strides, dilations),
        **keras_activations.attribute(layer, 4),
    }
    return "convolution", attributes, _biased(layer, weight)


def _transposed(seen: Seen) -> Said:
    """`Conv2DTranspose`, with a kernel (y, x, out, in)."""
    layer = seen.operation
    weight = plain(layer.kernel).transpose(3, 2, 0, 1)
    strides, dilations = pair(layer.strides), pair(layer.dilation_rate)
    before, after = seen.sides(seen.reads[0]), seen.sides(seen.writes)
    window = [*weight.shape[2:]]
    padded = tensorflow_padding.pads(layer.padding, after, window, strides, dilations)
    attributes = {
        "strides": strides,
        "dilations": dilations,
        "groups": 1,
        "pads": padded,
        "output_padding": tensorflow_padding.output_padding(
            padded, before, after, window, strides, dilations
        ),
        **keras_activations.attribute(layer, 4),
    }
    return "transposed_convolution", attributes, _biased(layer, weight)


def _separable(seen: Seen) -> Said:
    """`SeparableConv2D`: two convolutions in one."""
    layer = seen.operation
    attributes = {
        "strides": pair(layer.strides),
        "dilations": pair(layer.dilation_rate),
        "padding": layer.padding,
        **keras_activations.attribute(layer, 4),
    }
    kernels = {"depthwise": layer.depthwise_kernel, "pointwise": layer.pointwise_kernel}
    parameters = {name: plain(value) for name, value in kernels.items()}
    if layer.bias is not None:
        parameters["bias"] = plain(layer.bias)
    return "other", attributes, parameters


def _dense(seen: Seen) -> Said:
    layer = seen.operation
    attributes = keras_activations.attribute(layer, len(seen.writes))
    return "dense", attributes, _biased(layer, plain(layer.kernel).T)


def _batch_norm(seen: Seen) -> Said:
    import numpy as np

    layer = seen.operation
    mean = plain(layer.moving_mean)
    parameters = {
        "scale": np.ones_like(mean) if layer.gamma is None else plain(layer.gamma),
        "shift": np.zeros_like(mean) if layer.beta is None else plain(layer.beta),
        "mean": mean,
        "variance": plain(layer.moving_variance),
    }
    return "batch_norm", {"epsilon": float(layer.epsilon), "training": False}, parameters


def _prelu(seen: Seen) -> Said:
    return "prelu", {}, {"slope": operand(plain(seen.operation.alpha))}


def _pooling(seen: Seen) -> Said:
    layer = seen.operation
    kernel, strides = pair(layer.pool_size), pair(layer.strides)
    sides = seen.sides(seen.reads[0])
    attributes = {
        "kernel": kernel,
        "strides": strides,
        "pads": tensorflow_padding.pads(layer.padding, sides, kernel, strides, [1, 1]),
        "ceil_mode": False,
    }
    if type(layer).__name__ == "MaxPooling2D":
        return "max_pool", attributes | {"dilations": [1, 1]}, {}
    return "average_pool", attributes | {"count_include_pad": False}, {}


def _global(seen: Seen) -> Said:
    kind = "max" if type(seen.operation).__name__ == "GlobalMaxPooling2D" else "mean"
    sides = [1, 2] if seen.data_format == "channels_last" else [2, 3]
    return keras_words.reduction(seen, kind, sides, seen.operation.keepdims)


def _padding(seen: Seen) -> Said:
    (top, bottom), (left, right) = seen.operation.padding
    return "pad", {"pads": [top, left, bottom, right], "value": 0.0, "mode": "constant"}, {}


def _cropping(seen: Seen) -> Said:
    (top, bottom), (left, right) = seen.operation.cropping
    height, width = seen.sides(seen.reads[0])
    ends = [height - bottom, width - right]
    return "slice", {"axes": ["H", "W"], "starts": [top, left], "ends": ends, "steps": [1, 1]}, {}


def _upsampling(seen: Seen) -> Said:
    size = seen.sides(seen.writes)
    if seen.operation.interpolation != "nearest":
        return keras_words.resize(seen, size, seen.operation.interpolation, antialias=False)
    # it repeats pixels
    places = {"coordinates": "asymmetric", "rounding": "floor", "antialias": False}
    return "resize", {"size": size, "mode": "nearest", **places}, {}


def _resizing(seen: Seen) -> Said:
    layer = seen.operation
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        return "other", {}, {}
    size = [layer.height, layer.width]
    return keras_words.resize(seen, size, layer.interpolation, layer.antialias)


def _concatenate(seen: Seen) -> Said:
    return "concat", {"axis": axes(seen.operation.axis, len(seen.reads[0]))[0]}, {}


def _reshape(seen: Seen) -> Said:
    moved = seen.data_format == "channels_first" and len(seen.reads[0]) > 2
    if type(seen.operation).__name__ == "Flatten" and moved:
        return "other", {"data_format": "channels_first"}, {}  # channels go last, then it flattens
    return "reshape", {"shape": list(seen.writes)}, {}


def _permute(seen: Seen) -> Said:
    return "transpose", {"permutation": [0, *seen.operation.dims]}, {}


def _rescaling(seen: Seen) -> Said:
    """`Rescaling` with one of its two numbers; with both it is told as a batch norm."""
    import numpy as np

    scale, offset = (
        np.asarray(item, np.float32) for item in (seen.operation.scale, seen.operation.offset)
    )
    if not offset.any():
        return "multiply", {}, {"operand": operand(scale)}
    if (scale == 1).all():
        return "add", {}, {"operand": operand(offset)}
    channels = (seen.writes[-1] or 1,)
    parameters = {
        "scale": np.broadcast_to(scale, channels),
        "shift": np.broadcast_to(offset, channels),
        "mean": np.zeros(channels, np.float32),
        "variance": np.ones(channels, np.float32),
    }
    return "batch_norm", {"epsilon": 0.0, "training": False}, parameters


def _normalization(seen: Seen) -> Said:
    import numpy as np

    layer = seen.operation
    mean, variance = (operand(plain(item)) for item in (layer.mean, layer.variance))
    if layer.invert or mean.ndim > 1:
        return "other", {"invert": bool(layer.invert)}, {"mean": mean, "variance": variance}
    channels = (seen.writes[-1] or 1,)
    parameters = {
        "scale": np.ones(channels, np.float32),
        "shift": np.zeros(channels, np.float32),
        "mean": np.broadcast_to(mean, channels),
        "variance": np.broadcast_to(variance, channels),
    }
    return "batch_norm", {"epsilon": 0.0, "training": False}, parameters


KINDS: dict[str, Callable[[Seen], Said]] = {
    **{"Conv2D": _convolution, "DepthwiseConv2D": _convolution, "Conv2DTranspose": _transposed},
    **{"SeparableConv2D": _separable, "Dense": _dense, "BatchNormalization": _batch_norm},
    **{"PReLU": _prelu, "MaxPooling2D": _pooling, "AveragePooling2D": _pooling},
    **{"GlobalAveragePooling2D": _global, "GlobalMaxPooling2D": _global},
    **{"ZeroPadding2D": _padding, "Cropping2D": _cropping, "UpSampling2D": _upsampling},
    **{"Resizing": _resizing, "Concatenate": _concatenate, "Permute": _permute},
    **{"Rescaling": _rescaling, "Normalization": _normalization},
}
