"""A CPU schedule for every kernel: parallel outer loops, a register tile and vectors inside.

TVM's default CPU pipeline schedules nothing, and its `dlight` has CPU rules for matrix-vector
products only. Without a schedule, graph passes make no difference in time.
"""

import math
from collections.abc import Callable
from typing import Any

from deltann.tvm.compat import written_buffer
from deltann.tvm.cpu import (
    integer_schedules,
    matrix_operators,
    moved_channels,
    packed_operators,
    packed_schedules,
    prefetch,
)

# By kind of packed kernel.
SCHEDULES = packed_schedules.SCHEDULES | integer_schedules.SCHEDULES
LANES = 16
ROWS = 4


def apply(module: Any, tuned: Callable | None = None) -> Any:
    """Schedule every kernel of a module.

    Args:
        module: `tvm.IRModule` with unscheduled TIR kernels.
        tuned: a function from a kernel to its scheduled form, or to None: then the rules schedule
            it.

    Returns:
        The module, and the sorted names of the kernels that the schedule doesn't fit: they stay
        unscheduled.
    """
    import tvm
    from tvm.s_tir.schedule import ScheduleError

    scheduled, fallbacks = {}, []
    for variable, function in module.functions_items():
        if not isinstance(function, tvm.tirx.PrimFunc):
            continue
        try:
            measured = tuned(function) if tuned else None
            scheduled[variable] = measured or schedule(function).mod["main"]
        except (ScheduleError, RuntimeError):
            fallbacks.append(variable.name_hint)
    result = tvm.IRModule(dict(module.functions_items()), attrs=module.attrs)
    for variable, function in scheduled.items():
        complete = prefetch.insert(function)
        result.update_func(variable, complete.with_attr("tirx.is_scheduled", True))
    return result, sorted(fallbacks)


def schedule(kernel: Any, choice: packed_schedules.Choice | None = None) -> Any:
    """A `tvm.s_tir.Schedule` of one TIR kernel, by the rules.

    Args:
        kernel: `tvm.tirx.PrimFunc`, or a module with it as `main`.
        choice: for a packed kernel; None: the rules'.

    Raises:
        ScheduleError: the schedule doesn't fit the kernel.
    """
    from tvm import s_tir

    work = s_tir.Schedule(kernel)
    root = work.get_sblock("root")
    _inline(work, root)
    blocks = work.get_child_blocks(root)
    reductions = [block for block in blocks if _is_reduction(work, block)]
    epilogues = [_epilogue(work, block) for block in reductions]
    written_out = {work.get(block).name_hint for block in epilogues if block is not None}
    for block in blocks:
        name = work.get(block).name_hint
        if name.startswith(packed_operators.PADDED):
            packed_schedules.padding(work, block)
        elif name.startswith((matrix_operators.COPY, moved_channels.MOVED)):
            packed_schedules.copy(work, block)
        elif not _is_reduction(work, block) and name not in written_out:
            _schedule_injective(work, block)
    for block, epilogue in zip(reductions, epilogues, strict=True):
        name = packed_schedules.packed_name(work, block)
        if name is None:
            _schedule_reduction(work, block, epilogue)
        else:
            chosen = choice or packed_schedules.choices(work, block)[0]
            SCHEDULES[name](work, block, epilogue, chosen)
    return work


def choices(kernel: Any) -> list[packed_schedules.Choice]:
    """The choices that `schedule` takes for a kernel, the rules' first; none if it isn't packed."""
    from tvm import s_tir

    work = s_tir.Schedule(kernel)
    for block in work.get_child_blocks(work.get_sblock("root")):
        if packed_schedules.packed_name(work, block):
            return packed_schedules.choices(work, block)
    return []


def _is_reduction(work: Any, block: Any) -> bool:
    return any(item.iter_type == 2 for item in work.get(block).iter_vars)


def _inline(work: Any, root: Any) -> None:
    """Fold each elementwise block into the elementwise block that reads it."""
    outputs = {work.get(block).name_hint for block in work.get_output_blocks(root)}
    for block in work.get_child_blocks(root):
        consumers = work.get_consumers(block)
        if _is_reduction(work, block) or work.get(block).name_hint in outputs:
            continue
        if consumers and not any(_is_reduction(work, consumer) for consumer in consumers):
            work.compute_inline(block)


def _epilogue(work: Any, block: Any) -> Any:
    """The elementwise block that alone reads a reduction's result, index by index; or None."""
    consumers = work.get_consumers(block)
    if len(consumers) != 1 or _is_reduction(work, consumers[0]):
        return None
    sides = [int(side) for side in written_buffer(work, consumers[0]).shape]
    whole = [int(side) for side in written_buffer(work, block).shape]
    # a packed convolution's result may be cropped
    fits = len(sides) == len(whole) and all(a <= b for a, b in zip(sides, whole, strict=True))
    return consumers[0] if fits else None


def _divisor(extent: int, limit: int) -> int:
    """The largest divisor of `extent` up to `limit`."""
    return max(size for size in range(1, min(extent, limit) + 1) if extent % size == 0)


def _extent(work: Any, loop: Any) -> int:
    return int(work.get(loop).extent)


def _schedule_reduction(work: Any, block: Any, epilogue: Any) -> None:
    """Keep a tile of results in registers during the reduction; one to a scalar has none."""
    if all(item.iter_type == 2 for item in work.get(block).iter_vars):
        return
    if _is_along_rows(work, block):
        _schedule_rows(work, block, epilogue)
        return
    if epilogue is None:
        epilogue = work.cache_write(block, 0, "local")
    else:
        work.set_scope(block, 0, "local")
    kinds = [item.iter_type for item in work.get(block).iter_vars]
    loops = work.get_loops(block)
    spatial = [loop for loop, kind in zip(loops, kinds, strict=True) if kind == 0]
    reduced = [loop for loop, kind in zip(loops, kinds, strict=True) if kind == 2]
    column = work.split(spatial[-1], [None, _divisor(_extent(work, spatial[-1]), LANES)])
    inner = [column[1]]
    outer = [*spatial[:-1], column[0]]
    if len(spatial) > 2:
        row = work.split(spatial[-2], [None, _divisor(_extent(work, spatial[-2]), ROWS)])
        outer, inner = [*spatial[:-2], row[0], column[0]], [row[1], column[1]]
    work.reorder(*outer, *reduced, *inner)
    parallel = _parallel(work, outer)
    work.reverse_compute_at(epilogue, parallel[-1], preserve_unit_loops=True)
    for which in (block, epilogue):
        rows = work.get_loops(which)[-2:]
        work.vectorize(rows[1])
        if len(inner) == 2:
            work.unroll(rows[0])
    work.decompose_reduction(block, reduced[0])


def _is_along_rows(work: Any, block: Any) -> bool:
    """Whether a reduction's one axis is that of numbers side by side, and has a vector of them."""
    *others, last = work.get(block).iter_vars
    if last.iter_type != 2 or any(item.iter_type == 2 for item in others):
        return False
    if int(last.dom.extent) < LANES:
        return False
    regions = [item.region for item in work.get(block).reads]
    return any(region and region[-1].min.same_as(last.var) for region in regions)


def _schedule_rows(work: Any, block: Any, epilogue: Any) -> None:
    """Parallel over rows. Each is reduced to a vector, and that to a number."""
    kinds = [item.iter_type for item in work.get(block).iter_vars]
    loops, count = work.get_loops(block), kinds.count(0)
    whole = _extent(work, loops[-1]) % LANES == 0
    _, lane = work.split(loops[-1], [None, LANES])
    vector = work.rfactor(lane, factor_axis=count)
    row = work.fuse(*work.get_loops(block)[:count])
    work.parallel(row)
    if whole:
        work.compute_at(vector, row)
        work.set_scope(vector, 0, "local")
    else:  # TVM 0.27's compute_at forgets where the last vector ends
        work.parallel(work.fuse(*work.get_loops(vector)[:count]))
    if epilogue is not None:
        work.reverse_compute_at(epilogue, row)
    *_, lane, step = work.get_loops(vector)
    work.reorder(step, lane)
    if whole:
        work.vectorize(lane)
    work.decompose_reduction(vector, step)
    work.decompose_reduction(block, work.get_loops(block)[-1])


def _parallel(work: Any, loops: Any) -> list:
    """Run the outer loops in parallel, fused as far as needed; return the rest, outermost first."""
    keep = 2 if len(loops) > 3 else 0
    head = work.fuse(*loops[: len(loops) - keep])
    work.parallel(head)
    return [head, *loops[len(loops) - keep :]] if keep else [head]


def _schedule_injective(work: Any, block: Any) -> None:
    """Parallel, with a vector as the innermost loop; LLVM makes vectors of rows that none divides.

    What is the same for a row is computed once for it, if there are rows enough for all threads.
    """
    loops = work.get_loops(block)
    if not loops:
        return
    *outer, last = loops
    rows, length = math.prod(_extent(work, loop) for loop in outer), _extent(work, last)
    if rows < ROWS or length < LANES:
        outer, last = [], work.fuse(*loops)
        length = _extent(work, last)
    if not outer or length % LANES == 0:
        step, lane = work.split(last, [None, _divisor(length, LANES)])
        work.vectorize(lane)
        outer = outer or [step]
    work.parallel(work.fuse(*outer))
