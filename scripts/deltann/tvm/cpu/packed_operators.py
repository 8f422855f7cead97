"""Operators on packed tensors: (n, channel block, height, width, lane), channels padded with zeros.

One load or store moves a vector of channels, whatever the image's width. Weights are packed in the
order in which a kernel reads them.
"""

import math
from dataclasses import dataclass
from typing import Any

# Names of the blocks that `packed_schedules` looks for.
CONV2D, DEPTHWISE, PADDED = "packed_conv2d", "packed_depthwise", "packed_pad"


@dataclass(frozen=True)
class Tile:
    """The results in registers: `columns` pixels of a row by `blocks` channel blocks."""

    columns: int
    blocks: int


def register_tile(width: int, blocks: int, registers: int, padded: bool) -> Tile:
    """The tile with the lowest estimated cost.

    Args:
        width: of a row of the result, in pixels.
        blocks: channel blocks of the result; a multiple of the tile's.
        registers: see `levels.Vectors`.
        padded: whether the input is copied to a padded buffer anyway, so that rounding the
            width up costs no copy.
    """
    best, tile = math.inf, Tile(1, 1)
    for count in (size for size in range(1, min(blocks, 8) + 1) if blocks % size == 0):
        for columns in range(1, width + 1):
            if count * columns + count + columns > registers:
                break
            waste = math.ceil(width / columns) * columns / width
            copy = 0.0 if padded or waste == 1 else 0.1
            # A multiplication takes four cycles and two start per cycle: with fewer than about ten
            # independent ones, some wait.
            idle = max(1.0, 10 / (count * columns))
            # each tile reads its weights from the second-level cache, its pixels from the first
            cost = (waste + copy) * idle * (1 + 0.3 / columns + 0.1 / count)
            if cost < best:
                best, tile = cost, Tile(columns, count)
    return tile


def depthwise_tile(width: int, registers: int) -> Tile:
    """The columns with the lowest estimated cost for a depthwise convolution.

    Each place of the window reads another pixel, so LLVM needs more registers per column. A result
    takes so few multiplications that none waits for another.
    """

    def cost(columns: int) -> float:
        return math.ceil(width / columns) * columns / width * (1 + 0.3 / columns)

    return Tile(min(range(1, min(width, registers // 4) + 1), key=cost), 1)


def pack(data: Any, lanes: int, axis: int) -> Any:
    """(n, c, h, w), or (n, h, w, c) where `axis` is 3, as (n, ceil(c / lanes), h, w, lanes)."""
    from tvm import te, tirx

    n, *rest = (int(side) for side in data.shape)
    channels = rest.pop(axis - 1)

    def element(i: Any, block: Any, y: Any, x: Any, lane: Any) -> Any:
        channel = block * lanes + lane
        index = [y, x]
        index.insert(axis - 1, channel)
        value = data[i, *index]
        if channels % lanes == 0:
            return value
        return tirx.if_then_else(channel < channels, value, tirx.const(0, data.dtype))

    return te.compute((n, math.ceil(channels / lanes), *rest, lanes), element, name="pack")


def unpack(data: Any, channels: int, axis: int) -> Any:
    """The reverse of `pack`."""
    from tvm import te

    n, _, height, width, lanes = (int(side) for side in data.shape)
    shape = [height, width]
    shape.insert(axis - 1, channels)

    def element(i: Any, *index: Any) -> Any:
        y, x = (place for dimension, place in enumerate(index, 1) if dimension != axis)
        channel = index[axis - 1]
        return data[i, channel // lanes, y, x, channel % lanes]

    return te.compute((n, *shape), element, name="unpack")


def window(
    data: Any, kernel: list[int], attributes: Any, columns: int, fill: int = 0, beyond: int = 0
) -> tuple[int, int, int, list[int], list[int], Any]:
    """A window's result sizes and steps, and the input padded for them.

    Args:
        data: a packed `te.Tensor`.
        kernel: height and width.
        attributes: strides, padding and dilation, as of `relax.nn.conv2d`.
        columns: of a tile of results.
        fill: the number that pads the input.
        beyond: how many columns after a window's are read too.

    Returns:
        The rows and columns of the result, the columns rounded up to whole tiles, the strides, the
        dilation, and the padded `te.Tensor`.
    """
    from tvm import te, tirx

    n, blocks, height, width, lanes = (int(side) for side in data.shape)
    top, left, bottom, right = (int(side) for side in attributes.padding)
    strides = [int(step) for step in attributes.strides]
    dilation = [int(step) for step in attributes.dilation]
    reach = [(side - 1) * step + 1 for side, step in zip(kernel, dilation, strict=True)]
    rows = (height + top + bottom - reach[0]) // strides[0] + 1
    whole = (width + left + right - reach[1]) // strides[1] + 1
    rounded = math.ceil(whole / columns) * columns
    needed = (rounded - 1) * strides[1] + reach[1] + beyond
    if (top, left, bottom, right) == (0, 0, 0, 0) and needed <= width:
        return rows, whole, rounded, strides, dilation, data
    shape = (n, blocks, height + top + bottom, max(needed, width + left), lanes)
    inside = te.compute(
        shape,
        lambda i, c, y, x, lane: tirx.if_then_else(
            tirx.all(y >= top, y < height + top, x >= left, x < width + left),
            data[i, c, y - top, x - left, lane],
            tirx.const(fill, data.dtype),
        ),
        name=PADDED,
    )
    return rows, whole, rounded, strides, dilation, inside


def cropped(result: Any, width: int) -> Any:
    """The result without the columns that were computed to fill the last tile."""
    from tvm import te

    if int(result.shape[3]) == width:
        return result
    shape = [*result.shape[:3], width, result.shape[4]]
    return te.compute(shape, lambda *index: result[index], name="crop")


def multiplied(one: Any, other: Any, attributes: Any) -> Any:
    """The product of two numbers, in the type of an operator's sums if that differs from theirs."""
    kind = str(attributes.out_dtype or one.dtype)
    one, other = (item if str(item.dtype) == kind else item.astype(kind) for item in (one, other))
    return one * other


def conv2d(data: Any, weight: Any, attributes: Any, registers: int, groups: int = 1) -> Any:
    """A convolution.

    Args:
        data: (n, input blocks, h, w, lanes).
        weight: (output blocks, input blocks of a group, kernel height, kernel width, input lanes,
            lanes).
        attributes: those of `relax.nn.conv2d`: strides, padding, dilation, the type of the sums.
        registers: vector registers of the target.
        groups: of whole blocks.
    """
    from tvm import te

    blocks, taken, high, wide, depth, lanes = (int(side) for side in weight.shape)
    padded = any(int(side) for side in attributes.padding)
    given = blocks // groups
    tile = register_tile(result_width(data, wide, attributes), given, registers, padded)
    rows, whole, rounded, strides, dilation, inside = window(
        data, [high, wide], attributes, tile.columns
    )
    c = te.reduce_axis((0, taken), "c")
    dy, dx = te.reduce_axis((0, high), "dy"), te.reduce_axis((0, wide), "dx")
    k = te.reduce_axis((0, depth), "k")
    result = te.compute(
        (int(data.shape[0]), blocks, rows, rounded, lanes),
        lambda i, block, y, x, lane: te.sum(
            multiplied(
                inside[
                    i,
                    block // given * taken + c if groups > 1 else c,
                    y * strides[0] + dy * dilation[0],
                    x * strides[1] + dx * dilation[1],
                    k,
                ],
                weight[block, c, dy, dx, k, lane],
                attributes,
            ),
            axis=[c, dy, dx, k],
        ),
        name=CONV2D,
        attrs={"tile": [tile.columns, tile.blocks]},
    )
    return cropped(result, whole)


def depthwise(data: Any, weight: Any, attributes: Any, registers: int) -> Any:
    """A depthwise convolution; `weight` is (blocks, kernel height, kernel width, lanes)."""
    from tvm import te

    blocks, high, wide, lanes = (int(side) for side in weight.shape)
    tile = depthwise_tile(result_width(data, wide, attributes), registers)
    rows, whole, rounded, strides, dilation, inside = window(
        data, [high, wide], attributes, tile.columns
    )
    dy, dx = te.reduce_axis((0, high), "dy"), te.reduce_axis((0, wide), "dx")
    result = te.compute(
        (int(data.shape[0]), blocks, rows, rounded, lanes),
        lambda i, block, y, x, lane: te.sum(
            multiplied(
                inside[
                    i,
                    block,
                    y * strides[0] + dy * dilation[0],
                    x * strides[1] + dx * dilation[1],
                    lane,
                ],
                weight[block, dy, dx, lane],
                attributes,
            ),
            axis=[dy, dx],
        ),
        name=DEPTHWISE,
        attrs={"tile": [tile.columns, tile.blocks]},
    )
    return cropped(result, whole)


def result_width(data: Any, kernel: int, attributes: Any) -> int:
    """The width of a convolution's result, in pixels."""
    _, left, _, right = (int(side) for side in attributes.padding)
    reach = (kernel - 1) * int(attributes.dilation[1]) + 1
    return (int(data.shape[3]) + left + right - reach) // int(attributes.strides[1]) + 1
