"""Convolutions for GPUs, as products of a matrix of weights and one of pixels (implicit GEMM).

No such matrix is in memory: for each step along the sum, a block of threads gathers the weights
and pixels that it needs into shared memory. Tensors keep the model's layout, since threads next to
each other take pixels next to each other; CPUs pack channels for their vectors instead.
"""

import math
from dataclasses import dataclass
from typing import Any

from deltann.tvm.cpu.packed_operators import multiplied
from deltann.tvm.expressions import mutate_functions, operator
from deltann.tvm.passes import GraphPass

# Names of the blocks that `cuda.schedules` looks for: the product, and its gathered operands.
GEMM, WEIGHTS, PIXELS = "implicit_gemm", "gathered_weights", "gathered_pixels"
# Terms of a step along the sum, and the side of the square of results that a thread holds.
STEP, SIDE = 16, 4
# A GPU gets at least so many blocks of threads, if there are as many: it has fewer processors.
BLOCKS = 128


@dataclass(frozen=True)
class Tile:
    """What a block of threads computes: `channels` of the result by `pixels` of it."""

    channels: int
    pixels: int


TILES = (Tile(64, 64), Tile(32, 64), Tile(32, 32))


def choose(images: int, channels: int, pixels: int) -> Tile:
    """The largest tile of which there are enough to keep a GPU busy, or the smallest."""

    def count(tile: Tile) -> int:
        return images * math.ceil(channels / tile.channels) * math.ceil(pixels / tile.pixels)

    return next((tile for tile in TILES if count(tile) >= BLOCKS), TILES[-1])


@dataclass(frozen=True)
class Sizes:
    """The sizes of a convolution.

    Attributes:
        data: of the input, by the letters N, C, H and W.
        kernel: of the weight, by the letters O, I, H and W.
        padding: above and to the left.
        strides: along height and width.
        dilation: likewise.
        height: of the result.
        width: likewise.
    """

    data: dict[str, int]
    kernel: dict[str, int]
    padding: tuple[int, int]
    strides: tuple[int, int]
    dilation: tuple[int, int]
    height: int
    width: int

    @property
    def pixels(self) -> int:
        """The pixels of the result."""
        return self.height * self.width

    @property
    def terms(self) -> int:
        """The terms of each sum."""
        return self.kernel["I"] * self.window

    @property
    def window(self) -> int:
        """The places of the window."""
        return self.kernel["H"] * self.kernel["W"]


def sizes_of(data: Any, weight: Any, attributes: Any) -> Sizes:
    """The sizes of a convolution, from its tensors and its attributes in Relax."""
    sizes = dict(zip(attributes.data_layout, map(int, data.shape), strict=True))
    kernel = dict(zip(attributes.kernel_layout, map(int, weight.shape), strict=True))
    top, left, bottom, right = map(int, attributes.padding)
    (down, along), (far, wide) = map(int, attributes.strides), map(int, attributes.dilation)
    height = (sizes["H"] + top + bottom - (kernel["H"] - 1) * far - 1) // down + 1
    width = (sizes["W"] + left + right - (kernel["W"] - 1) * wide - 1) // along + 1
    return Sizes(sizes, kernel, (top, left), (down, along), (far, wide), height, width)


def conv2d(data: Any, weight: Any, attributes: Any) -> Any:
    """A convolution without groups, its three sizes rounded up to whole tiles with zeros.

    Args:
        data: `te.Tensor`, four axes in the order of `attributes.data_layout`.
        weight: likewise, of `attributes.kernel_layout`.
        attributes: those of `relax.nn.conv2d`.

    Returns:
        `te.Tensor` in the order of `attributes.out_layout`.
    """
    from tvm import te

    sizes = sizes_of(data, weight, attributes)
    images, channels = sizes.data["N"], sizes.kernel["O"]
    tile = choose(images, channels, sizes.pixels)
    terms = _rounded(sizes.terms, STEP)
    many = _rounded(channels, tile.channels), _rounded(sizes.pixels, tile.pixels)
    letters = attributes.out_layout or attributes.data_layout
    weights = _gathered_weights(weight, sizes, attributes.kernel_layout, (many[0], terms))
    pixels = _gathered_pixels(data, sizes, attributes.data_layout, (images, terms, many[1]))
    k = te.reduce_axis((0, terms), "k")
    product = te.compute(
        (images, *many),
        lambda n, f, p: te.sum(multiplied(weights[f, k], pixels[n, k, p], attributes), axis=k),
        name=GEMM,
        attrs={
            "tile": [tile.channels, tile.pixels],
            "width": sizes.width,
            "channels": letters.index("C"),
        },
    )
    shape = {"N": images, "C": channels, "H": sizes.height, "W": sizes.width}

    def element(*index: Any) -> Any:
        at = dict(zip(letters, index, strict=True))
        return product[at["N"], at["C"], at["H"] * sizes.width + at["W"]]

    return te.compute(_order(letters, shape), element, name="conv2d")


def _gathered_weights(weight: Any, sizes: Sizes, layout: str, shape: tuple[int, int]) -> Any:
    """The matrix of weights: a row per channel of the result, a column per term."""
    from tvm import te, tirx

    kernel, zero = sizes.kernel, tirx.const(0, weight.dtype)

    def weights(f: Any, k: Any) -> Any:
        at = {"O": f, "I": k // sizes.window, "H": k // kernel["W"] % kernel["H"]}
        at["W"] = k % kernel["W"]
        inside = tirx.all(f < kernel["O"], k < sizes.terms)
        return tirx.if_then_else(inside, weight[*_order(layout, at)], zero)

    return te.compute(shape, weights, name=WEIGHTS)


def _gathered_pixels(data: Any, sizes: Sizes, layout: str, shape: tuple[int, int, int]) -> Any:
    """The matrix of pixels of each image: a row per term, a column per pixel of the result."""
    from tvm import te, tirx

    kernel, zero = sizes.kernel, tirx.const(0, data.dtype)
    (top, left), (down, along), (far, wide) = sizes.padding, sizes.strides, sizes.dilation

    def gathered(n: Any, k: Any, p: Any) -> Any:
        y = p // sizes.width * down + k // kernel["W"] % kernel["H"] * far - top
        x = p % sizes.width * along + k % kernel["W"] * wide - left
        at = {"N": n, "C": k // sizes.window, "H": y, "W": x}
        inside = [p < sizes.pixels, k < sizes.terms]
        inside += [y >= 0, y < sizes.data["H"], x >= 0, x < sizes.data["W"]]
        value = data[*_order(layout, at)]
        return tirx.if_then_else(tirx.all(*inside), value, zero)

    return te.compute(shape, gathered, name=PIXELS)


def _rounded(size: int, step: int) -> int:
    return math.ceil(size / step) * step


def _order(letters: str, by_letter: dict) -> list:
    """The values of the axes, in the order of a layout's letters."""
    return [by_letter[letter] for letter in letters]


def gather_convolutions() -> Any:
    """A pass: each float32 convolution without groups becomes a kernel of `conv2d`."""
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Gatherer(PyExprMutator):
        def visit_call_(self, call: Any) -> Any:
            call = super().visit_call_(call)
            if operator(call) != "relax.nn.conv2d" or int(call.attrs.groups) != 1:
                return call
            return self.builder_.call_te(conv2d, *call.args, attributes=call.attrs)

    return GraphPass(
        "GatherConvolutions", lambda module: mutate_functions(module, Gatherer(module))
    )
