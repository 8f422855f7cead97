"""Keras layers with windows from the words of `deltann.steps`."""

from typing import Any

from deltann.edits import Impossible
from deltann.formats import tensorflow_padding, windows
from deltann.formats.words import Words

# A float32 below every number that a network computes.
LOWEST = -3.0e38


def sides(image: Any, data_format: str) -> list[int]:
    """Height and width of an image."""
    return sides_of(image.shape, data_format)


def convolution(words: Words, image: Any, data_format: str) -> Any:
    """`DepthwiseConv2D` if it can be one, else `Conv2D`; padded before, if need be."""
    from keras import layers

    weight = words.parameter("weight")
    strides, dilations = words.take("strides", [1, 1]), words.take("dilations", [1, 1])
    groups, kernel = words.take("groups", 1), list(weight.shape[2:])
    channels = image.shape[-1 if data_format == "channels_last" else 1]
    if weight.shape[1] * groups != channels:
        raise Impossible(
            f"{groups} groups of a weight for {weight.shape[1]} channels don't fit {channels}"
        )
    pads = words.take("pads", [0, 0, 0, 0])
    image, padding = _padded(image, pads, kernel, strides, dilations, data_format)
    settings = {"strides": strides, "padding": padding, "data_format": data_format}
    settings |= {"dilation_rate": dilations, "use_bias": "bias" in words.parameters}
    depthwise = weight.shape[1] == 1 and groups > 1
    if depthwise and dilations == [1, 1] and strides[0] == strides[1]:
        multiplier = weight.shape[0] // groups
        layer = layers.DepthwiseConv2D(kernel, depth_multiplier=multiplier, **settings)
        stored = weight.reshape(groups, multiplier, *kernel).transpose(2, 3, 0, 1)
    else:
        layer = layers.Conv2D(weight.shape[0], kernel, groups=groups, **settings)
        stored = weight.transpose(2, 3, 1, 0)
    return weighted(words, layer, stored, image)


def transposed(words: Words, image: Any, data_format: str) -> Any:
    """`Conv2DTranspose`, where `same` or `valid` says the padding."""
    from keras import layers

    weight = words.parameter("weight")
    strides, dilations = words.take("strides", [1, 1]), words.take("dilations", [1, 1])
    pads, extra = words.take("pads", [0, 0, 0, 0]), words.take("output_padding", [0, 0])
    groups, kernel = words.take("groups", 1), list(weight.shape[2:])
    before = sides(image, data_format)
    after = [
        (side - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1
        - pads[i] - pads[i + 2] + extra[i]
        for i, side in enumerate(before)
    ]  # fmt: skip
    for padding in ("valid", "same"):
        layer = layers.Conv2DTranspose(
            weight.shape[1],
            kernel,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilations,
            use_bias="bias" in words.parameters,
        )
        padded = tensorflow_padding.pads(padding, after, kernel, strides, dilations)
        made = sides_of(layer.compute_output_shape(image.shape), data_format)
        if groups == 1 and padded == pads and made == after:
            return weighted(words, layer, weight.transpose(2, 3, 1, 0), image)
    raise Impossible(f"a transposed convolution with pads {pads} and {groups} groups")


def sides_of(shape: Any, data_format: str) -> list[int]:
    """Height and width of a shape."""
    first = 1 if data_format == "channels_last" else 2
    return list(shape[first : first + 2])


def weighted(words: Words, layer: Any, weight: Any, tensor: Any) -> Any:
    """Call a layer and give it its weight, and its bias if there is one."""
    made = layer(tensor)
    bias = [words.parameter("bias")] if "bias" in words.parameters else []
    layer.set_weights([weight, *bias])
    return made


def _padded(
    image: Any,
    pads: list[int],
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
    data_format: str,
) -> tuple[Any, str]:
    """An image, padded with zeros if Keras has no word for it, and the word for the rest."""
    found = sides(image, data_format)
    for padding in ("valid", "same"):
        if pads == tensorflow_padding.pads(padding, found, kernel, strides, dilations):
            return image, padding
    return zeros(image, pads, data_format), "valid"


def zeros(image: Any, pads: list[int], data_format: str) -> Any:
    """Zeros around an image."""
    from keras import layers

    top, left, bottom, right = pads
    return layers.ZeroPadding2D(((top, bottom), (left, right)), data_format)(image)


def _around(image: Any, pads: list[int], data_format: str, mode: str, value: float) -> Any:
    from keras import ops

    top, left, bottom, right = pads
    amounts = [[0, 0], [top, bottom], [left, right]]
    amounts.insert(3 if data_format == "channels_last" else 1, [0, 0])
    if mode == "constant":
        return ops.pad(image, amounts, constant_values=value)
    return ops.pad(image, amounts, mode)


def pooling(words: Words, image: Any, data_format: str) -> Any:
    """Of the largest or of the average."""
    from keras import layers, ops

    kernel, pads = words.take("kernel", [1, 1]), words.take("pads", [0, 0, 0, 0])
    strides = words.take("strides", kernel)
    ceil, counted = words.take("ceil_mode", False), words.take("count_include_pad", False)
    if words.take("dilations", [1, 1]) != [1, 1]:
        raise Impossible("a pooling with dilations")
    found, largest = sides(image, data_format), words.kind == "max_pool"
    layer = layers.MaxPooling2D if largest else layers.AveragePooling2D
    behind = windows.behind(found, kernel, strides, pads) if ceil else [0, 0]
    plain = not any(behind) and (largest or not counted or not any(pads))
    for padding in ("valid", "same") if plain else ():
        if pads == tensorflow_padding.pads(padding, found, kernel, strides, [1, 1]):
            return layer(kernel, strides, padding, data_format)(image)
    wide = [*pads[:2], pads[2] + behind[0], pads[3] + behind[1]]
    if largest:
        image = _around(image, wide, data_format, "constant", LOWEST)
        return layer(kernel, strides, "valid", data_format)(image)
    pooled = layer(kernel, strides, "valid", data_format)(zeros(image, wide, data_format))
    shares = windows.shares(found, kernel, strides, pads, behind, counted)
    if (shares == 1).all():
        return pooled
    shape = (1, *shares.shape, 1) if data_format == "channels_last" else (1, 1, *shares.shape)
    return ops.multiply(pooled, shares.reshape(shape).astype("float32"))


def padding(words: Words, image: Any, data_format: str) -> Any:
    """Around height and width."""
    pads = words.take("pads", [0, 0, 0, 0])
    value, mode = words.take("value", 0.0), words.take("mode", "constant")
    if mode not in ("constant", "reflect", "symmetric"):
        raise Impossible(f"a pad of mode {mode}")
    if mode == "constant" and not value:
        return zeros(image, pads, data_format)
    return _around(image, pads, data_format, mode, value)


def resize(words: Words, image: Any, data_format: str) -> Any:
    """By `tf.image.resize`; nearest pixels by their places, if it has other ones."""
    from keras import layers, ops

    size, mode = words.take("size", None), words.take("mode", "nearest")
    coordinates = words.take("coordinates", "half_pixel")
    rounding = words.take("rounding", "round_prefer_floor")
    antialias = words.take("antialias", False)
    half = coordinates == "half_pixel"
    if coordinates == "pytorch_half_pixel" and 1 not in size:
        half = True  # it differs for a single pixel alone
    if mode == "nearest":
        if half and rounding == "round_prefer_ceil":
            return layers.Resizing(*size, "nearest", data_format=data_format)(image)
        first = 1 if data_format == "channels_last" else 2
        for axis, (old, new) in enumerate(zip(sides(image, data_format), size, strict=True)):
            places = windows.nearest(old, new, coordinates, rounding)
            image = ops.take(image, places, axis=first + axis)
        return image
    if not half:
        raise Impossible(f"a resize of mode {mode} by coordinates {coordinates}")
    name = {"linear": "bilinear", "cubic": "bicubic"}[mode]
    return layers.Resizing(*size, name, antialias=antialias, data_format=data_format)(image)


KINDS = {
    "convolution": convolution,
    "transposed_convolution": transposed,
    "max_pool": pooling,
    "average_pool": pooling,
    "pad": padding,
    "resize": resize,
}
