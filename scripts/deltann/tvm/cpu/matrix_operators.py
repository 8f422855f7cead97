"""Matrix products: of one row or few, which weights' memory limits, and of many."""

import math
from typing import Any

from deltann.tvm.cpu.packed_operators import multiplied, register_tile

# Names of the blocks that `packed_schedules` looks for.
DENSE, MATMUL, COPY = "packed_dense", "packed_matmul", "packed_rows"
# Rows whose distance in memory is a multiple of this many numbers share few places of a cache.
CLOSE = 256


def dense(data: Any, weight: Any, outputs: int, attributes: Any) -> Any:
    """A matrix product.

    Args:
        data: (n, inputs).
        weight: (output blocks, inputs, lanes).
        outputs: how many of the results aren't padding.
        attributes: those of `relax.matmul`: the type of the sums.
    """
    from tvm import te

    blocks, inputs, lanes = (int(side) for side in weight.shape)
    k = te.reduce_axis((0, inputs), "k")
    result = te.compute(
        (int(data.shape[0]), blocks, lanes),
        lambda i, block, lane: te.sum(
            multiplied(data[i, k], weight[block, k, lane], attributes), axis=k
        ),
        name=DENSE,
    )
    return te.compute(
        (int(data.shape[0]), outputs),
        lambda i, j: result[i, j // lanes, j % lanes],
        name="unpack_dense",
    )


def matmul(data: Any, weight: Any, outputs: int, attributes: Any, registers: int) -> Any:
    """A product of matrices with many rows.

    Args:
        data: (..., rows, inputs).
        weight: (output blocks, inputs, lanes), the same for all matrices; or (..., inputs, output
            blocks, lanes).
        outputs: how many of the results aren't padding.
        attributes: those of `relax.matmul`: the type of the sums.
        registers: vector registers of the target.

    Returns:
        (..., rows, outputs).
    """
    from tvm import te

    *outer, rows, inputs = (int(side) for side in data.shape)
    shared = len(weight.shape) == 3
    lanes = int(weight.shape[-1])
    blocks = int(weight.shape[0 if shared else -2])
    tile = register_tile(rows, blocks, registers, padded=True)
    rounded = math.ceil(rows / tile.columns) * tile.columns
    left = _rows(data, rounded)
    k = te.reduce_axis((0, inputs), "k")

    def product(*index: Any) -> Any:
        *matrix, i, j = index
        if shared:
            right = weight[j // lanes, k, j % lanes]
        else:
            right = weight[*matrix, k, j // lanes, j % lanes]
        return te.sum(multiplied(left[*matrix, i, k], right, attributes), axis=k)

    result = te.compute(
        (*outer, rounded, blocks * lanes),
        product,
        name=MATMUL,
        attrs={"tile": [tile.columns, tile.blocks], "lanes": lanes},
    )
    if (rounded, blocks * lanes) == (rows, outputs):
        return result
    return te.compute((*outer, rows, outputs), lambda *index: result[index], name="crop")


def _rows(data: Any, rounded: int) -> Any:
    """The rows of a matrix, with rows of zeros after them, at distances that suit a cache."""
    from tvm import te, tirx

    *outer, rows, inputs = (int(side) for side in data.shape)
    apart = inputs if inputs % CLOSE else inputs + 16
    if (rows, inputs) == (rounded, apart):
        return data

    def element(*index: Any) -> Any:
        *_, i, k = index
        return tirx.if_then_else(
            tirx.all(i < rows, k < inputs), data[index], tirx.const(0, data.dtype)
        )

    return te.compute((*outer, rounded, apart), element, name=COPY)
