"""Convolutions and matrix products of whole numbers: uint8 by int8, with sums of int32.

Tensors are packed as those of `packed_operators`. An instruction of AVX512-VNNI, `vpdpbusd`,
multiplies four input channels of a pixel by weights for sixteen output channels, and adds the
products to sixteen sums. So input channels come in groups of four.
"""

from dataclasses import dataclass
from typing import Any

from deltann.tvm.cpu.packed_operators import (
    cropped,
    depthwise_tile,
    register_tile,
    result_width,
    window,
)

# Names of the blocks that `integer_schedules` looks for.
CONV2D, DEPTHWISE, DENSE = "integer_conv2d", "integer_depthwise", "integer_dense"
# The sums of a vector, and the products of one sum that an instruction adds.
LANES, GROUP = 16, 4
# See `Vectors`. Of the 32 registers, a tile of a convolution has at most 15 for sums: that many fit
# TVM's limit for buffers on the stack, and are as fast as more.
CONV2D_REGISTERS, DEPTHWISE_REGISTERS = 24, 32


@dataclass(frozen=True)
class Window:
    """The attributes of a convolution, as `relax.nn.conv2d` names them, and what pads its input.

    Attributes:
        strides, padding, dilation: padding is top, left, bottom, right.
        fill: the number around the input.
        wide: the columns of the window.
    """

    strides: list[int]
    padding: list[int]
    dilation: list[int]
    fill: int
    wide: int


def conv2d(data: Any, weight: Any, attributes: Window) -> Any:
    """A convolution without groups.

    Args:
        data: uint8 (n, input blocks, h, w, depth), the depth a multiple of `GROUP`.
        weight: int8 (output blocks, input blocks, kernel height, kernel width, depth / GROUP,
            LANES, GROUP).
        attributes: of the convolution.

    Returns:
        int32 (n, output blocks, rows, columns, LANES).
    """
    from tvm import te

    blocks, taken, high, wide, groups, lanes, _ = (int(side) for side in weight.shape)
    padded = any(attributes.padding)
    width = result_width(data, wide, attributes)
    tile = register_tile(width, blocks, CONV2D_REGISTERS, padded)
    rows, whole, rounded, strides, dilation, inside = window(
        data, [high, wide], attributes, tile.columns, attributes.fill
    )
    c, group = te.reduce_axis((0, taken), "c"), te.reduce_axis((0, groups), "group")
    dy, dx = te.reduce_axis((0, high), "dy"), te.reduce_axis((0, wide), "dx")
    k = te.reduce_axis((0, GROUP), "k")

    def sums(i: Any, block: Any, y: Any, x: Any, lane: Any) -> Any:
        place = y * strides[0] + dy * dilation[0], x * strides[1] + dx * dilation[1]
        pixel = inside[i, c, *place, group * GROUP + k].astype("int32")
        return te.sum(
            pixel * weight[block, c, dy, dx, group, lane, k].astype("int32"),
            axis=[c, dy, dx, group, k],
        )

    result = te.compute(
        (int(data.shape[0]), blocks, rows, rounded, lanes),
        sums,
        name=CONV2D,
        attrs={"tile": [tile.columns, tile.blocks]},
    )
    return cropped(result, whole)


def depthwise(data: Any, weight: Any, attributes: Window) -> Any:
    """A depthwise convolution without dilation.

    Four pixels of a row that lie side by side take the place of four input channels.

    Args:
        data: uint8 (n, blocks, h, w, LANES).
        weight: int8 (blocks, kernel height, groups of columns, LANES, GROUP), the columns after
            those of the window zero.
        attributes: of the convolution; its dilation is 1.

    Returns:
        int32 (n, blocks, rows, columns, LANES).
    """
    from tvm import te

    blocks, high, groups, lanes, _ = (int(side) for side in weight.shape)
    width = result_width(data, attributes.wide, attributes)
    tile = depthwise_tile(width, DEPTHWISE_REGISTERS)
    rows, whole, rounded, strides, _, inside = window(
        data,
        [high, attributes.wide],
        attributes,
        tile.columns,
        attributes.fill,
        groups * GROUP - attributes.wide,
    )
    dy, group = te.reduce_axis((0, high), "dy"), te.reduce_axis((0, groups), "group")
    k = te.reduce_axis((0, GROUP), "k")

    def sums(i: Any, block: Any, y: Any, x: Any, lane: Any) -> Any:
        place = y * strides[0] + dy, x * strides[1] + group * GROUP + k
        pixel = inside[i, block, *place, lane].astype("int32")
        return te.sum(
            pixel * weight[block, dy, group, lane, k].astype("int32"), axis=[dy, group, k]
        )

    result = te.compute(
        (int(data.shape[0]), blocks, rows, rounded, lanes),
        sums,
        name=DEPTHWISE,
        attrs={"tile": [tile.columns, tile.blocks]},
    )
    return cropped(result, whole)


def dense(data: Any, weight: Any, outputs: int) -> Any:
    """A matrix product.

    Args:
        data: uint8 (n, inputs), the inputs a multiple of `GROUP`.
        weight: int8 (output blocks, inputs / GROUP, LANES, GROUP).
        outputs: how many of the results aren't padding.

    Returns:
        int32 (n, outputs).
    """
    from tvm import te

    blocks, groups, lanes, _ = (int(side) for side in weight.shape)
    group, k = te.reduce_axis((0, groups), "group"), te.reduce_axis((0, GROUP), "k")
    result = te.compute(
        (int(data.shape[0]), blocks, lanes),
        lambda i, block, lane: te.sum(
            data[i, group * GROUP + k].astype("int32")
            * weight[block, group, lane, k].astype("int32"),
            axis=[group, k],
        ),
        name=DENSE,
    )
    return te.compute(
        (int(data.shape[0]), outputs),
        lambda i, j: result[i, j // lanes, j % lanes],
        name="unpack_dense",
    )
