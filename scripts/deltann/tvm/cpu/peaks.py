"""Two kernels in every library for a processor: they measure what its code can reach at most.

No model calls them. They are compiled with the model, for the same target, since the process that
runs a library has no compiler.
"""

from typing import Any

# Their names in a library.
MULTIPLY, COPY = "deltann_peak_multiply", "deltann_peak_copy"
KERNELS = (MULTIPLY, COPY)
# Vectors of sums that one task of `MULTIPLY` keeps in registers: enough to hide the latency of
# fused multiplications and additions, and few enough for 16 registers.
SUMS = 12
# Its operands, 12 KiB of vectors of 64 bytes, stay in the nearest cache.
TASKS, REPEATS, STEPS = 240, 64, 16
# Numbers that one task of `COPY` copies.
ROW = 2048


def flops(lanes: int) -> int:
    """Operations of a call of `MULTIPLY`, a multiplication with an addition as two."""
    return 2 * TASKS * REPEATS * STEPS * SUMS * lanes


def copied(rows: int) -> int:
    """Bytes that a call of `COPY` reads and writes together."""
    return 2 * rows * ROW * 4


def multiply_shapes(lanes: int) -> list[tuple[int, ...]]:
    """The float32 arguments of `MULTIPLY`: two operands and the result."""
    return [(lanes,), (STEPS, SUMS, lanes), (TASKS, SUMS, lanes)]


def kernels(lanes: int) -> dict[str, Any]:
    """The scheduled kernels, `tvm.tirx.PrimFunc` by name.

    Args:
        lanes: float32 numbers in a vector register of the target.
    """
    return {MULTIPLY: _multiply(lanes), COPY: _copy(lanes)}


def _multiply(lanes: int) -> Any:
    """Sums of products that stay in registers; operands come from the nearest cache."""
    from tvm import s_tir, te

    left, right = (te.placeholder(shape) for shape in multiply_shapes(lanes)[:2])
    repeat, k = te.reduce_axis((0, REPEATS)), te.reduce_axis((0, STEPS))
    result = te.compute(
        (TASKS, SUMS, lanes),
        lambda task, row, lane: te.sum(left[lane] * right[k, row, lane], axis=[repeat, k]),
        name="product",
    )
    work = s_tir.Schedule(te.create_prim_func([left, right, result]))
    block = work.get_sblock("product")
    sums = work.cache_write(block, 0, "local")
    task, row, lane, again, step = work.get_loops(block)
    work.reorder(task, again, step, row, lane)
    work.parallel(task)
    work.reverse_compute_at(sums, task)
    for which in (block, sums):
        row, lane = work.get_loops(which)[-2:]
        work.vectorize(lane)
        work.unroll(row)
    work.decompose_reduction(block, again)
    return work.mod["main"].with_attr("global_symbol", MULTIPLY)


def _copy(lanes: int) -> Any:
    """A copy of rows, as many as the arguments have."""
    from tvm import s_tir, te

    rows = te.var("rows")
    source = te.placeholder((rows, ROW))
    result = te.compute((rows, ROW), lambda row, column: source[row, column], name="copy")
    work = s_tir.Schedule(te.create_prim_func([source, result]))
    row, column = work.get_loops(work.get_sblock("copy"))
    work.parallel(row)
    work.vectorize(work.split(column, [None, lanes])[1])
    return work.mod["main"].with_attr("global_symbol", COPY)
