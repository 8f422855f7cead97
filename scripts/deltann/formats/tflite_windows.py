"""Windows that convolutions and pools of TFLite move over an image: paddings in numbers.

TFLite knows two paddings: VALID, none; and SAME, as much as an output of ceil(side / stride) needs,
the odd row or column at the end. The formulas are those of tensorflow/lite/kernels/padding.h.
"""

SAME, VALID = 0, 1


def same_pads(
    image: tuple[int, int], kernel: list[int], strides: list[int], dilations: list[int]
) -> list[int]:
    """What SAME adds: [top, left, bottom, right].

    Args:
        image: the input's height and width.
        kernel, strides, dilations: y, x.
    """
    totals = []
    for side, size, stride, dilation in zip(image, kernel, strides, dilations, strict=True):
        reach = (size - 1) * dilation + 1
        totals.append(max((-(-side // stride) - 1) * stride + reach - side, 0))
    starts = [total // 2 for total in totals]
    return [*starts, *(total - start for total, start in zip(totals, starts, strict=True))]


def transposed_pads(
    padding: int, image: tuple[int, int], output: tuple[int, int], kernel: list[int], strides: list
) -> tuple[list[int], list[int]]:
    """The pads and the output padding of a transposed convolution.

    Args:
        padding: SAME or VALID.
        image, output: heights and widths.
        kernel, strides: y, x.
    """
    pads = [0, 0, 0, 0]
    if padding == SAME:
        pads = same_pads(output, kernel, strides, [1, 1])
    extra = [
        output[place]
        - (image[place] - 1) * strides[place]
        - kernel[place]
        + pads[place]
        + pads[place + 2]
        for place in (0, 1)
    ]
    return pads, extra


def output_sides(
    image: tuple[int, int],
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
    pads: list[int],
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """The height and width of what a window gives.

    With `ceil_mode` a window may hang over the end, but not begin behind the image and its pads
    at the start: as in PyTorch.
    """
    sides = []
    for place in (0, 1):
        reach = (kernel[place] - 1) * dilations[place] + 1
        room = image[place] + pads[place] + pads[place + 2] - reach
        count = (-(-room // strides[place]) if ceil_mode else room // strides[place]) + 1
        if ceil_mode and (count - 1) * strides[place] >= image[place] + pads[place]:
            count -= 1
        sides.append(count)
    return sides[0], sides[1]
