"""TensorFlow's operators with windows, in the words of `deltann.steps`: convolutions, poolings."""

from typing import TYPE_CHECKING, Any

from deltann.formats import tensorflow_padding
from deltann.formats.tensorflow_node import Node, Said, other

if TYPE_CHECKING:
    import numpy as np


def pads(
    node: Node, sides: list[int], kernel: list[int], strides: list[int], dilations: list[int]
) -> list[int]:
    """Top, left, bottom, right."""
    padding = node.text("padding", "VALID")
    if padding == "EXPLICIT":
        given = [int(item) for item in node.definition.attr["explicit_paddings"].list.i]
        (top, bottom), (left, right) = (
            given[2 * axis : 2 * axis + 2] for axis in ((2, 3) if node.channels_first else (1, 2))
        )
        return [top, left, bottom, right]
    return tensorflow_padding.pads(padding, sides, kernel, strides, dilations)


def _convolved(node: Node, weight: "np.ndarray", groups: int, kernel: list[int]) -> Said:
    strides, dilations = node.spatial("strides"), node.spatial("dilations")
    sides = node.image_sides(node.reads[0])
    attributes = {
        "strides": strides,
        "dilations": dilations,
        "groups": groups,
        "pads": pads(node, sides, kernel, strides, dilations),
    }
    return "convolution", attributes, {"weight": weight}


def convolution(node: Node) -> Said:
    """`Conv2D`, whose weight is (y, x, in / groups, out)."""
    if 1 not in node.constants or node.unsure(node.reads[0]):
        return other(node)
    weight = node.constants[1].transpose(3, 2, 0, 1)
    channels = (node.reads[0] or ())[1 if node.channels_first else 3] or weight.shape[1]
    return _convolved(node, weight, channels // weight.shape[1], [*weight.shape[2:]])


def depthwise(node: Node) -> Said:
    """`DepthwiseConv2dNative`, whose weight is (y, x, in, multiplier)."""
    if 1 not in node.constants or node.unsure(node.reads[0]):
        return other(node)
    y, x, channels, multiplier = node.constants[1].shape
    weight = node.constants[1].transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, y, x)
    return _convolved(node, weight, channels, [y, x])


def transposed(node: Node) -> Said:
    """`Conv2DBackpropInput`: of the output's shape, a weight (y, x, out / groups, in), the image.

    The weight is told as (in, out / groups, y, x), the padding that of the convolution whose
    gradient it is; the output's sides say the rest.
    """
    if 1 not in node.constants or node.writes is None or node.reads[2] is None:
        return other(node)
    weight = node.constants[1].transpose(3, 2, 0, 1)
    strides, dilations = node.spatial("strides"), node.spatial("dilations")
    kernel, sides = [*weight.shape[2:]], node.image_sides(node.writes)
    padded = pads(node, sides, kernel, strides, dilations)
    extra = tensorflow_padding.output_padding(
        padded, node.image_sides(node.reads[2]), sides, kernel, strides, dilations
    )
    channels = node.writes[1 if node.channels_first else 3] or weight.shape[1]
    attributes: dict[str, Any] = {
        "strides": strides,
        "dilations": dilations,
        "groups": channels // weight.shape[1],
        "pads": padded,
        "output_padding": extra,
    }
    return "transposed_convolution", attributes, {"weight": weight}


def pooling(node: Node) -> Said:
    """`MaxPool` and `AvgPool`, whose averages are of the pixels in the image alone."""
    kernel, strides = node.spatial("ksize"), node.spatial("strides")
    if node.unsure(node.reads[0]) or node.text("data_format", "NHWC") not in ("NHWC", "NCHW"):
        return other(node)
    sides = node.image_sides(node.reads[0])
    attributes = {
        "kernel": kernel,
        "strides": strides,
        "pads": pads(node, sides, kernel, strides, [1, 1]),
        "ceil_mode": False,
    }
    if node.op == "MaxPool":
        return "max_pool", attributes | {"dilations": [1, 1]}, {}
    return "average_pool", attributes | {"count_include_pad": False}, {}


def padding(node: Node) -> Said:
    """`Pad`, `PadV2` and `MirrorPad` of an image's height and width."""
    if 1 not in node.constants or (node.op == "PadV2" and 2 not in node.constants):
        return other(node)
    amounts = node.constants[1].tolist()
    if len(amounts) != 4 or any(amounts[0]) or any(amounts[3]):
        return other(node)
    (top, bottom), (left, right) = amounts[1:3]
    value = float(node.constants[2]) if node.op == "PadV2" else 0.0
    mode = node.text("mode").lower() if node.op == "MirrorPad" else "constant"
    return "pad", {"pads": [top, left, bottom, right], "value": value, "mode": mode}, {}


def resize(node: Node) -> Said:
    """`ResizeBilinear`, `ResizeNearestNeighbor` and `ResizeBicubic`."""
    if 1 not in node.constants:
        return other(node)
    modes = {"ResizeBilinear": "linear", "ResizeNearestNeighbor": "nearest"}
    coordinates, rounding = "asymmetric", "floor"
    if node.flag("align_corners"):
        coordinates, rounding = "align_corners", "round_prefer_ceil"
    elif node.flag("half_pixel_centers"):
        # floor((i + 0.5) * scale) is (i + 0.5) * scale - 0.5, rounded, and up at a half
        coordinates, rounding = "half_pixel", "round_prefer_ceil"
    attributes: dict[str, Any] = {
        "size": [int(item) for item in node.constants[1]],
        "mode": modes.get(node.op, "cubic"),
        "coordinates": coordinates,
        "antialias": False,
    }
    if attributes["mode"] == "nearest":
        attributes["rounding"] = rounding
    return "resize", attributes, {}


KINDS = {
    "Conv2D": convolution,
    "DepthwiseConv2dNative": depthwise,
    "Conv2DBackpropInput": transposed,
    "MaxPool": pooling,
    "AvgPool": pooling,
    "Pad": padding,
    "PadV2": padding,
    "MirrorPad": padding,
    "ResizeBilinear": resize,
    "ResizeNearestNeighbor": resize,
    "ResizeBicubic": resize,
}
