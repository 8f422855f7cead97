"""What TensorFlow's `SAME` pads."""


def same(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Before and behind one side: the odd one goes behind."""
    covered = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + covered - size, 0)
    return total // 2, total - total // 2


def pads(
    padding: str, sides: list[int], kernel: list[int], strides: list[int], dilations: list[int]
) -> list[int]:
    """Top, left, bottom, right.

    Args:
        padding: `same` or `valid`, in letters of either case.
        sides: the image's height and width.
    """
    if padding.lower() != "same":
        return [0, 0, 0, 0]
    (top, bottom), (left, right) = (
        same(*item) for item in zip(sides, kernel, strides, dilations, strict=True)
    )
    return [top, left, bottom, right]


def output_padding(
    padded: list[int],
    before: list[int],
    after: list[int],
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
) -> list[int]:
    """What a transposed convolution adds at the bottom and on the right.

    Args:
        padded: as of `pads`, of the convolution whose gradient it is.
        before, after: the sides of its input and its output.
    """
    extra = []
    for axis, side in enumerate(before):
        covered = (kernel[axis] - 1) * dilations[axis] + 1
        plain = (side - 1) * strides[axis] + covered - padded[axis] - padded[axis + 2]
        extra.append(after[axis] - plain)
    return extra
