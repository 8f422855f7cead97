"""What differs between the versions of TVM that the study runs: 0.26 and 0.27.

The rest of the package asks here, and speaks of no version.
"""


def constant(expression):
    """The `numpy.ndarray` that a Relax expression is, or None where it's no constant.

    0.26 has `relax.Constant` with `data`; 0.27 made it `ir.expr.GenericConst`, of all dialects,
    with `value`.
    """
    from tvm import ir, relax

    if hasattr(relax, "Constant"):
        return expression.data.numpy() if isinstance(expression, relax.Constant) else None
    return expression.value.numpy() if isinstance(expression, ir.expr.GenericConst) else None


def written_buffer(work, block):
    """The `tirx.Buffer` that a block of a `tvm.s_tir.Schedule` writes first.

    0.27 renamed `BufferRegion.buffer` to `source`.
    """
    region = work.get(block).writes[0]
    return region.source if hasattr(region, "source") else region.buffer
