"""Schedules for GPUs: every kernel's loops bound to blocks of threads.

A convolution is a product of tiles in shared memory; each thread keeps a square of results in its
registers. One thread computes a pooling or depthwise window. TVM's `dlight` schedules products with
a vector and long sums, and by its fallback, one thread per result, all other kernels.
"""

from typing import Any

from deltann.tvm.cuda import operators

THREADS = 256
# One thread adds the terms of a sum if there are at most so many.
WINDOW = 128


def apply(module: Any, tvm_target: Any) -> Any:
    """Schedule every kernel of a module.

    Args:
        module: `tvm.IRModule` with unscheduled TIR kernels.
        tvm_target: `tvm.target.Target` of kind `cuda`.

    Returns:
        The module, and the sorted names of the kernels that only the fallback fits.
    """
    import tvm
    from tvm.s_tir import dlight
    from tvm.s_tir.schedule import ScheduleError

    gpu = dlight.gpu
    rules = (gpu.GEMV(), gpu.Reduction(), gpu.GeneralReduction())
    result = tvm.IRModule(dict(module.functions_items()), attrs=module.attrs)
    fallbacks = []
    for variable, function in module.functions_items():
        if not isinstance(function, tvm.tirx.PrimFunc):
            continue
        try:
            work = schedule(function)
        except (_Unsuited, ScheduleError):
            work = _first_fit(rules, function, tvm_target)
        if work is None:
            fallbacks.append(variable.name_hint)
            work = gpu.Fallback().apply(function, tvm_target, False)
        kernel = work.mod["main"].with_attr("tirx.is_scheduled", True)
        result.update_func(variable, kernel)
    return result, sorted(fallbacks)


def _first_fit(rules: tuple, function: Any, tvm_target: Any) -> Any:
    """The schedule by the first of TVM's rules that fits a kernel, or None."""
    for rule in rules:
        schedules = rule.apply(function, tvm_target, False)
        if schedules is not None:
            return schedules[0] if isinstance(schedules, list) else schedules
    return None


class _Unsuited(Exception):
    """Our own schedules don't fit this kernel."""


def schedule(kernel: Any) -> Any:
    """A `tvm.s_tir.Schedule` of a convolution, of windows or of an elementwise kernel.

    Args:
        kernel: `tvm.tirx.PrimFunc`.

    Raises:
        _Unsuited, ScheduleError: our schedules don't fit: it has several sums or a long one, or
            several elementwise results.
    """
    from tvm import s_tir

    work = s_tir.Schedule(kernel)
    root = work.get_sblock("root")
    blocks = work.get_child_blocks(root)
    sums = [block for block in blocks if _reduced(work, block)]
    if len(sums) > 1:
        raise _Unsuited
    outputs = {work.get(block).name_hint for block in work.get_output_blocks(root)}
    kept = {operators.WEIGHTS, operators.PIXELS}
    for block in blocks:
        name = work.get(block).name_hint
        if block not in sums and name not in outputs and name not in kept:
            work.compute_inline(block)
    if not sums:
        _elementwise(work)
    elif work.get(sums[0]).name_hint == operators.GEMM:
        _product(work, sums[0])
    else:
        _window(work, sums[0])
    return work


def _reduced(work: Any, block: Any) -> list[int]:
    """The extents of the axes that a block sums over."""
    return [int(item.dom.extent) for item in work.get(block).iter_vars if item.iter_type == 2]


def _elementwise(work: Any) -> None:
    """A thread per element."""
    block, *others = work.get_child_blocks(work.get_sblock("root"))
    if others:
        raise _Unsuited
    _bind(work, work.get_loops(block) or [work.add_unit_loop(block)])


def _bind(work: Any, loops: list) -> Any:
    """Bind loops to blocks of threads; return the loop over a block's threads."""
    outer, thread = work.split(work.fuse(*loops), [None, THREADS])
    work.bind(outer, "blockIdx.x")
    work.bind(thread, "threadIdx.x")
    return thread


def _window(work: Any, block: Any) -> None:
    """A thread per result: it sums in a register, and writes through the elementwise consumer."""
    terms = 1
    for extent in _reduced(work, block):
        terms *= extent
    count = len(work.get_loops(block)) - len(_reduced(work, block))
    if terms > WINDOW or not count:
        raise _Unsuited
    epilogues = work.get_consumers(block)
    if epilogues:
        work.set_scope(block, 0, "local")
    else:
        epilogues = [work.cache_write(block, 0, "local")]
    loops = work.get_loops(block)
    thread = _bind(work, loops[:count])
    work.reverse_compute_at(epilogues[0], thread)
    work.decompose_reduction(block, loops[count])


def _product(work: Any, block: Any) -> None:
    """A tile per block of threads: operands go through shared memory, results stay in registers.

    Threads next to each other take pixels next to each other, so that their reads and writes are
    contiguous. A thread's pixels lie `columns` apart, so that no two threads use one bank of shared
    memory: as virtual threads, which TVM merges into one thread.
    """
    annotations = work.get(block).annotations
    channels, pixels = (int(side) for side in annotations["tile"])
    rows, columns = channels // operators.SIDE, pixels // operators.SIDE
    gathered = [work.get_sblock(name) for name in (operators.WEIGHTS, operators.PIXELS)]
    (epilogue,) = work.get_consumers(block)
    _flatten(work, epilogue, int(annotations["width"]), int(annotations["channels"]))
    n, f, p, k = work.get_loops(block)
    f_block, f_virtual, f_thread = work.split(f, [None, operators.SIDE, rows])
    p_block, p_virtual, p_thread = work.split(p, [None, operators.SIDE, columns])
    k_step, k_term = work.split(k, [None, operators.STEP])
    threads = [f_virtual, p_virtual, f_thread, p_thread]
    work.reorder(n, f_block, p_block, *threads, k_step, k_term)
    for loop, axis in (
        (work.fuse(n, f_block), "blockIdx.y"),
        (p_block, "blockIdx.x"),
        (f_virtual, "vthread.y"),
        (p_virtual, "vthread.x"),
        (f_thread, "threadIdx.y"),
        (p_thread, "threadIdx.x"),
    ):
        work.bind(loop, axis)
    work.set_scope(block, 0, "local")
    work.reverse_compute_at(epilogue, p_thread)
    for operand in gathered:
        _share(work, operand, k_step, rows, columns)
    work.unroll(k_term)
    work.decompose_reduction(block, k_step)


def _flatten(work: Any, block: Any, width: int, channels: int) -> None:
    """Let a block run over channels and pixels, as the product does, not over rows and columns."""
    if len(work.get(block).iter_vars) != 4:
        raise _Unsuited
    if channels == 1:
        work.transform_block_layout(block, lambda n, f, y, x: (n, f, y * width + x))
    else:
        work.transform_block_layout(block, lambda n, y, x, f: (n, f, y * width + x))


def _share(work: Any, block: Any, step: Any, rows: int, columns: int) -> None:
    """Let all threads of a block gather a step's terms into shared memory."""
    work.set_scope(block, 0, "shared")
    count = len(work.get_loops(block))
    work.compute_at(block, step, preserve_unit_loops=True)
    _, row, column = work.split(work.fuse(*work.get_loops(block)[-count:]), [None, rows, columns])
    work.bind(row, "threadIdx.y")
    work.bind(column, "threadIdx.x")
