"""Convolutions for GPUs: as a matrix product of the weights and of the pixels each result reads.

No such matrix is in memory: a block of threads gathers what it needs of it into shared memory, step
by step along the sum (an implicit GEMM). Tensors keep the layout that the model has them in, since
neighbouring threads take neighbouring pixels; packing channels is what vectors of a CPU want.
"""

import math
from dataclasses import dataclass

# Names of the blocks that `cuda_schedules` looks for: the product, and what is gathered for it.
GEMM, WEIGHTS, PIXELS = "implicit_gemm", "gathered_weights", "gathered_pixels"
# A step along the sum; results that a thread holds are a square of this side.
STEP, SIDE = 16, 4
# Blocks of threads that a GPU is given at least, if there are as many: more than it has processors.
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


def conv2d(data, weight, attributes):
    """A convolution without groups, its three sizes rounded up to whole tiles with zeros.

    Args:
        data: `te.Tensor`, four axes in the order of `attributes.data_layout`.
        weight: likewise, of `attributes.kernel_layout`.
        attributes: those of `relax.nn.conv2d`.

    Returns:
        `te.Tensor` in the order of `attributes.out_layout`.
    """
    from tvm import te, tirx

    sizes = dict(zip(attributes.data_layout, map(int, data.shape), strict=True))
    kernel = dict(zip(attributes.kernel_layout, map(int, weight.shape), strict=True))
    top, left, bottom, right = map(int, attributes.padding)
    (down, along), (far, wide) = map(int, attributes.strides), map(int, attributes.dilation)
    height = (sizes["H"] + top + bottom - (kernel["H"] - 1) * far - 1) // down + 1
    width = (sizes["W"] + left + right - (kernel["W"] - 1) * wide - 1) // along + 1
    window, pixels = kernel["H"] * kernel["W"], height * width
    tile = choose(sizes["N"], kernel["O"], pixels)
    terms = _rounded(kernel["I"] * window, STEP)
    zero = tirx.const(0, data.dtype)

    def weights(f, k):
        place = {"O": f, "I": k // window, "H": k // kernel["W"] % kernel["H"]}
        place["W"] = k % kernel["W"]
        inside = tirx.all(f < kernel["O"], k < kernel["I"] * window)
        return tirx.if_then_else(inside, weight[*_order(attributes.kernel_layout, place)], zero)

    def gathered(n, k, p):
        y = p // width * down + k // kernel["W"] % kernel["H"] * far - top
        x = p % width * along + k % kernel["W"] * wide - left
        place = {"N": n, "C": k // window, "H": y, "W": x}
        inside = [p < pixels, k < kernel["I"] * window]
        inside += [y >= 0, y < sizes["H"], x >= 0, x < sizes["W"]]
        value = data[*_order(attributes.data_layout, place)]
        return tirx.if_then_else(tirx.all(*inside), value, zero)

    letters = attributes.out_layout or attributes.data_layout
    many = _rounded(kernel["O"], tile.channels), _rounded(pixels, tile.pixels)
    left_side = te.compute((many[0], terms), weights, name=WEIGHTS)
    right_side = te.compute((sizes["N"], terms, many[1]), gathered, name=PIXELS)
    k = te.reduce_axis((0, terms), "k")
    product = te.compute(
        (sizes["N"], *many),
        lambda n, f, p: te.sum(left_side[f, k] * right_side[n, k, p], axis=k),
        name=GEMM,
        attrs={
            "tile": [tile.channels, tile.pixels],
            "width": width,
            "channels": letters.index("C"),
        },
    )
    shape = {"N": sizes["N"], "C": kernel["O"], "H": height, "W": width}

    def element(*index):
        place = dict(zip(letters, index, strict=True))
        return product[place["N"], place["C"], place["H"] * width + place["W"]]

    return te.compute(_order(letters, shape), element, name="conv2d")


def _rounded(size: int, step: int) -> int:
    return math.ceil(size / step) * step


def _order(letters: str, place: dict) -> list:
    """What belongs to each axis, in the order of a layout's letters."""
    return [place[letter] for letter in letters]


def gather_convolutions():
    """A pass: each float32 convolution without groups by a kernel of `conv2d`."""
    from tvm import ir, relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Gatherer(PyExprMutator):
        def visit_call_(self, call):
            call = super().visit_call_(call)
            if getattr(call.op, "name", None) != "relax.nn.conv2d" or int(call.attrs.groups) != 1:
                return call
            return self.builder_.call_te(conv2d, *call.args, attributes=call.attrs)

    def apply(module, _):
        gatherer = Gatherer(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                gatherer.builder_.update_func(variable, gatherer.visit_expr(function))
        return gatherer.builder_.finalize()

    return ir.transform.module_pass(apply, opt_level=0, name="GatherConvolutions")
