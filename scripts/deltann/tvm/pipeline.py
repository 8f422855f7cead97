"""From a model file to a library: import, graph passes, schedules, lowering and code generation."""

import time
from pathlib import Path
from typing import Any, NamedTuple

from deltann.cell import UNSCHEDULED
from deltann.tvm import target_kinds, tuning
from deltann.tvm.importers import import_model
from deltann.tvm.levels import PASSES
from deltann.tvm.load import load_tvm
from deltann.tvm.target_kinds import TargetKind


def start_tvm(framework: str) -> Any:
    """The `tvm` module; for a PyTorch model PyTorch is imported first: see `load_tvm`."""
    if framework == "torch":
        import torch  # noqa: F401
    return load_tvm()


class Outputs(NamedTuple):
    """What a compilation writes.

    Attributes:
        library: the shared library.
        graph: the result of the graph passes, as TVMScript.
        scheduled: the scheduled kernels, as TVMScript; None to leave them out.
    """

    library: Path
    graph: Path
    scheduled: Path | None


class Clock:
    """Wall-clock seconds of each step of a job."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """End a step; the next one starts."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now


def import_file(model_file: Path, framework: str, clock: Clock) -> tuple:
    """Import a model file.

    Args:
        model_file: the file.
        framework: its format, one of `importers.IMPORTS`.
        clock: gets the step `import`.

    Returns:
        The `tvm.IRModule`, and the shape of its input.

    Raises:
        ValueError: a dimension of the input isn't a number.
    """
    module = import_model(model_file, framework)
    clock.lap("import")
    return module, fixed_shape(module["main"].params[0])


def fixed_shape(parameter: Any) -> list[int]:
    """The shape of a function's parameter.

    Raises:
        ValueError: a dimension isn't a number.
    """
    shape = list(parameter.ty.shape)
    try:
        return [int(side) for side in shape]
    except TypeError:
        dimensions = ", ".join(map(str, shape))
        raise ValueError(f"the model takes ({dimensions}); expected numbers only") from None


def compile_module(
    module: Any,
    tvm_target: Any,
    passes: list[str],
    schedule: str,
    database: Path | None,
    outputs: Outputs,
    clock: Clock,
) -> dict:
    """Compile an imported model to a shared library.

    Args:
        module, tvm_target: a `tvm.IRModule` and a `tvm.target.Target`.
        passes: the graph passes switched on, of `levels.PASSES`.
        schedule: one of `cell.SCHEDULES`, or `target_kinds.llvm.PACKED`.
        database: for the schedule `tuned`, a tar of tuning records.
        outputs: the files to write.
        clock: gets the steps `passes`, `graph`, `schedule` and `build`.

    Returns:
        `passes`, the names of all passes that ran; `idle`, the names of those switched on that
        changed nothing; `kernels`, their number; `unscheduled`, the names of those that no
        schedule fits; `code_bytes`, the machine code of each.
    """
    tvm = load_tvm()
    kind = target_kinds.get(tvm_target.kind.name)
    steps = kernel_pipeline(passes, kind, tvm_target, own_kernels=schedule != UNSCHEDULED)
    # The virtual machine checks the model's input. Asserts in kernels cost a third of the build.
    context = tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True})
    with tvm_target, context:
        module, idle = run(steps, module, passes)
        clock.lap("passes")
        _write_script(module, outputs.graph)
        clock.lap("graph")
        kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
        tuned = tuning.fastest(database, tvm_target) if database else None
        module, unscheduled = kind.schedule(module, tvm_target, schedule, tuned)
        _write_script(module, outputs.scheduled)
        clock.lap("schedule")
        module = tvm.transform.Sequential(kind.lowering())(module)
        sizes = kind.build(module, tvm_target, outputs.library)
    clock.lap("build")
    return {
        "passes": [item.info.name for _, item in steps],
        "idle": idle,
        "kernels": len(kernels),
        "unscheduled": unscheduled,
        "code_bytes": sizes,
    }


def _write_script(module: Any, path: Path | None) -> None:
    """Write a module as TVMScript, unless `path` is None."""
    if path:
        path.write_text(module.script(show_meta=False), encoding="utf-8")


def kernel_pipeline(
    passes: list[str] | tuple[str, ...], kind: TargetKind, tvm_target: Any, own_kernels: bool
) -> list[tuple[str | None, Any]]:
    """The passes from an imported module to one of TIR kernels, in the order in which they run.

    Args:
        passes: the passes switched on, of `PASSES`, in any order.
        kind: the module of the target's kind.
        tvm_target: `tvm.target.Target`.
        own_kernels: whether to lower operators to the kernels that the kind's schedules know,
            whatever passes are switched on.

    Returns:
        Each `tvm.transform.Pass` with the name that switched it on. The name is None for passes
        that always run or only prepare another.

    Raises:
        ValueError: an unknown pass.
    """
    for name in passes:
        if name not in PASSES:
            raise ValueError(f"pass {name!r}; expected one of {', '.join(PASSES)}")
    return [
        *_graph_passes(passes, kind.layout_passes(tvm_target) if "PackLayout" in passes else []),
        *_always(*(kind.kernel_passes(tvm_target) if own_kernels else [])),
        *_kernel_passes(passes),
    ]


def _graph_passes(passes: Any, layouts: list) -> list:
    """The passes on graphs of operators."""
    from tvm.relax import transform

    from deltann.tvm.passes.combine_parallel_conv2d import combine_parallel_conv2d

    return [
        *_if_on(passes, "FoldBatchnormToConv2D", transform.FoldBatchnormToConv2D),
        *_always(transform.DecomposeOpsForInference()),
        *_folding(passes),
        *_if_on(passes, "EliminateCommonSubexpr", transform.EliminateCommonSubexpr),
        *_if_on(passes, "CombineParallelConv2D", combine_parallel_conv2d),
        *_if_on(passes, "CombineParallelMatmul", transform.CombineParallelMatmul),
        *(("PackLayout", item) for item in layouts),
    ]


def _kernel_passes(passes: Any) -> list:
    """The passes that make kernels of operators, and fuse them."""
    from tvm.relax import transform

    return [
        *_always(transform.DeadCodeElimination()),
        *_folding(passes),
        *_if_on(passes, "FastMathTransform", transform.FastMathTransform),
        *_always(transform.LegalizeOps()),
        *_if_on(passes, "FoldConstant", transform.FoldConstant),
        *_always(*([transform.AnnotateTIROpPattern()] if "FuseOps" in passes else [])),
        *_if_on(passes, "FuseOps", transform.FuseOps, transform.FuseTIR),
        *_always(transform.DeadCodeElimination()),
    ]


def _folding(passes: Any) -> list:
    """Constant folding: NumPy first, since it folds faster what both can."""
    from tvm.relax import transform

    from deltann.tvm.passes.fold_arithmetic import fold_arithmetic

    return [
        *_if_on(passes, "CanonicalizeBindings", transform.CanonicalizeBindings),
        *_if_on(passes, "FoldConstant", fold_arithmetic, transform.FoldConstant),
    ]


def _if_on(passes: Any, name: str, *makers: Any) -> list:
    return [(name, make()) for make in makers] if name in passes else []


def _always(*items: Any) -> list:
    return [(None, item) for item in items]


def run(
    steps: list[tuple[str | None, Any]], module: Any, passes: list[str] | tuple[str, ...]
) -> Any:
    """Run a pipeline.

    Args:
        steps: from `kernel_pipeline`.
        module: the imported `tvm.IRModule`.
        passes: the passes switched on.

    Returns:
        The module, and the sorted names of the passes switched on that changed nothing.
    """
    import tvm_ffi

    busy = set()
    for name, item in steps:
        after = item(module)
        if name and name not in busy and not tvm_ffi.structural_equal(module, after):
            busy.add(name)
        module = after
    return module, sorted(set(passes) - busy)
