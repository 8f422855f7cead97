"""TensorFlow operators with windows from the words of `deltann.steps`."""

from typing import Any

from deltann.edits import Impossible
from deltann.formats import tensorflow_padding, windows
from deltann.formats.words import Words


def convolution(words: Words, image: Any) -> Any:
    """A depthwise operator if it can be one, else `Conv2D`; padded before, if need be."""
    import tensorflow

    weight = words.parameter("weight")
    strides, dilations = words.take("strides", [1, 1]), words.take("dilations", [1, 1])
    groups, kernel = words.take("groups", 1), list(weight.shape[2:])
    padded = words.take("pads", [0, 0, 0, 0])
    channels = image.shape[3]
    if weight.shape[1] * groups != channels:
        raise Impossible(
            f"{groups} groups of a weight for {weight.shape[1]} channels don't fit {channels}"
        )
    image, padding = _padded(image, padded, kernel, strides, dilations)
    depthwise = weight.shape[1] == 1 and groups > 1
    settings = {"strides": [1, *strides, 1], "padding": padding}
    if depthwise and dilations == [1, 1] and strides[0] == strides[1]:
        shape = (groups, weight.shape[0] // groups, *kernel)
        stored = tensorflow.constant(weight.reshape(shape).transpose(2, 3, 0, 1), image.dtype)
        image = tensorflow.raw_ops.DepthwiseConv2dNative(input=image, filter=stored, **settings)
        return biased(words, image)
    stored = tensorflow.constant(weight.transpose(2, 3, 1, 0), image.dtype)
    settings["dilations"] = [1, *dilations, 1]
    image = tensorflow.raw_ops.Conv2D(input=image, filter=stored, **settings)
    return biased(words, image, fused=groups == 1)


def transposed(words: Words, image: Any) -> Any:
    """`Conv2DBackpropInput`, where `SAME` or `VALID` says the padding."""
    import tensorflow

    weight = words.parameter("weight")
    strides, dilations = words.take("strides", [1, 1]), words.take("dilations", [1, 1])
    padded, extra = words.take("pads", [0, 0, 0, 0]), words.take("output_padding", [0, 0])
    groups, kernel = words.take("groups", 1), list(weight.shape[2:])
    sides = [
        (side - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1
        - padded[i] - padded[i + 2] + extra[i]
        for i, side in enumerate(image.shape[1:3])
    ]  # fmt: skip
    padding = next(
        (
            name
            for name in ("VALID", "SAME")
            if padded == tensorflow_padding.pads(name, sides, kernel, strides, dilations)
        ),
        None,
    )
    if padding is None or groups != 1:
        raise Impossible(f"a transposed convolution with pads {padded} and {groups} groups")
    image = tensorflow.raw_ops.Conv2DBackpropInput(
        input_sizes=tensorflow.stack([tensorflow.shape(image)[0], *sides, weight.shape[1]]),
        filter=tensorflow.constant(weight.transpose(2, 3, 1, 0), image.dtype),
        out_backprop=image,
        strides=[1, *strides, 1],
        padding=padding,
        dilations=[1, *dilations, 1],
    )
    return biased(words, image)


def biased(words: Words, image: Any, fused: bool = True) -> Any:
    """With the bias, if there is one.

    Args:
        words: with the bias.
        image: what it is added to.
        fused: whether TensorFlow may run it together with what is before and behind it: of a
            convolution with groups it tries to, and fails (`UnimplementedError`, 2.21 on a CPU).
    """
    import tensorflow

    if "bias" not in words.parameters:
        return image
    bias = tensorflow.constant(words.parameter("bias"), image.dtype)
    return tensorflow.nn.bias_add(image, bias) if fused else tensorflow.math.add(image, bias)


def _padded(
    image: Any, pads: list[int], kernel: list[int], strides: list[int], dilations: list[int]
) -> tuple[Any, str]:
    """An image, padded with zeros if TensorFlow has no word for it, and the word for the rest."""
    import tensorflow

    sides = list(image.shape[1:3])
    for padding in ("VALID", "SAME"):
        if pads == tensorflow_padding.pads(padding, sides, kernel, strides, dilations):
            return image, padding
    top, left, bottom, right = pads
    return tensorflow.pad(image, [[0, 0], [top, bottom], [left, right], [0, 0]]), "VALID"


def pooling(words: Words, image: Any) -> Any:
    """Of the largest or of the average."""
    import tensorflow

    kernel, padded = words.take("kernel", [1, 1]), words.take("pads", [0, 0, 0, 0])
    strides = words.take("strides", kernel)
    ceil, counted = words.take("ceil_mode", False), words.take("count_include_pad", False)
    if words.take("dilations", [1, 1]) != [1, 1]:
        raise Impossible("a pooling with dilations")
    sides = list(image.shape[1:3])
    largest = words.kind == "max_pool"
    operator = tensorflow.raw_ops.MaxPool if largest else tensorflow.raw_ops.AvgPool
    name = "input" if largest else "value"
    settings = {"ksize": [1, *kernel, 1], "strides": [1, *strides, 1]}
    behind = windows.behind(sides, kernel, strides, padded) if ceil else [0, 0]
    plain = not any(behind) and (largest or not counted or not any(padded))
    for padding in ("VALID", "SAME") if plain else ():
        if padded == tensorflow_padding.pads(padding, sides, kernel, strides, [1, 1]):
            return operator(**{name: image}, **settings, padding=padding)
    top, left, bottom, right = padded
    amounts = [[0, 0], [top, bottom + behind[0]], [left, right + behind[1]], [0, 0]]
    value = image.dtype.min if largest else 0
    wide = tensorflow.pad(image, amounts, constant_values=value)
    pooled = operator(**{name: wide}, **settings, padding="VALID")
    if largest:
        return pooled
    shares = windows.shares(sides, kernel, strides, padded, behind, counted)
    if (shares == 1).all():
        return pooled
    return pooled * tensorflow.constant(shares[None, :, :, None], image.dtype)


def padding(words: Words, image: Any) -> Any:
    """Around height and width."""
    import tensorflow

    top, left, bottom, right = words.take("pads", [0, 0, 0, 0])
    value, mode = words.take("value", 0.0), words.take("mode", "constant")
    if mode not in ("constant", "reflect", "symmetric"):
        raise Impossible(f"a pad of mode {mode}")
    amounts = [[0, 0], [top, bottom], [left, right], [0, 0]]
    return tensorflow.pad(image, amounts, mode.upper(), value)


def resize(words: Words, image: Any) -> Any:
    """By an operator of TensorFlow's; nearest pixels by their places, if there is none."""
    import tensorflow

    size, mode = words.take("size", None), words.take("mode", "nearest")
    coordinates = words.take("coordinates", "half_pixel")
    rounding = words.take("rounding", "round_prefer_floor")
    if words.take("antialias", False):
        raise Impossible("a resize with antialias")
    flags = {
        "half_pixel": {"half_pixel_centers": True},
        # it differs for a single pixel alone
        "pytorch_half_pixel": {"half_pixel_centers": True},
        "asymmetric": {},
        "align_corners": {"align_corners": True},
    }
    if coordinates not in flags or (coordinates == "pytorch_half_pixel" and 1 in size):
        raise Impossible(f"a resize by coordinates {coordinates}")
    raw = tensorflow.raw_ops
    if mode == "nearest":
        own = {"asymmetric": "floor"}.get(coordinates, "round_prefer_ceil")
        if rounding != own:
            return _gathered(image, size, coordinates, rounding)
        return raw.ResizeNearestNeighbor(images=image, size=size, **flags[coordinates])
    operator = {"linear": raw.ResizeBilinear, "cubic": raw.ResizeBicubic}[mode]
    return operator(images=image, size=size, **flags[coordinates])


def _gathered(image: Any, size: list[int], coordinates: str, rounding: str) -> Any:
    """The nearest pixels, row by row and column by column."""
    import tensorflow

    for axis, new in enumerate(size, start=1):
        places = windows.nearest(image.shape[axis], new, coordinates, rounding)
        image = tensorflow.gather(image, places, axis=axis)
    return image


KINDS = {
    "convolution": convolution,
    "transposed_convolution": transposed,
    "max_pool": pooling,
    "average_pool": pooling,
    "pad": padding,
    "resize": resize,
}
