"""Compile a model file by TVM for one device. Runs in the child process of the job."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from deltann import precision, spot_check
from deltann.cell import UNSCHEDULED
from deltann.tvm import blame, importers, levels, pipeline, target_kinds


def work(before: dict, **arguments: Any) -> dict:
    """Compile a model file, and check what this project did to it on one image.

    Args:
        before: the details of the record of `model_file`.
        arguments: those of `compile_file`.

    Returns:
        What `compile_file` returns but `operators`, `spot_check.details`, the `check` that
        `blame.check` made, and the library's `precision` and `calibration`, see `stages.convert`.

    Raises:
        Fault: what this project did to the model changed its answer, or TVM can't compile it then.
        Exception: TVM's own.
    """
    details, compilation = _compile(blame.judging, **arguments)
    taken = details["input_type"]["dtype"]
    check = blame.check(compilation, Path(arguments["output"]), taken)
    operators = details.pop("operators")
    found = precision.read(before).after(operators["imported"], "TVM's import")
    found = found.after(operators["compiled"], "TVM's passes")
    lowered = precision.details(found, before.get("calibration"))
    return details | {"check": check} | spot_check.details() | lowered


def compile_file(**arguments: Any) -> dict:
    """Compile a model file to a shared library, without a check.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        passes: the graph passes switched on, of `levels.KNOWN`.
        schedule: one of `cell.SCHEDULES`, or `target_kinds.llvm.PACKED`.
        target: TVM target; `mcpu: host` means this machine's.
        model_file: the file to compile.
        output: the library to write.
        graph: where to write the result of the graph passes, TVMScript.
        database: for the schedule `tuned`, the file that `deltann.stages.tune` wrote.
        scheduled: where to write the scheduled kernels, TVMScript; or None.

    Returns:
        The resolved `target` and its `peak_lanes`, see `target_kinds`; the `input_shape` of the
        model; its `input_type` and `output_type`, the fields of `TensorType`; the version of `tvm`,
        the `seconds` of each step, and what `pipeline.compile_module` returns.
    """
    return _compile(nullcontext, **arguments)[0]


def _compile(
    around: Callable[[blame.Compilation], AbstractContextManager],
    framework: str,
    passes: list[str],
    schedule: str,
    target: dict,
    model_file: str,
    output: str,
    graph: str,
    database: str | None = None,
    scheduled: str | None = None,
) -> tuple[dict, blame.Compilation]:
    """See `compile_file`; with `around` around TVM's work and ours. Returns also what was done."""
    tvm = pipeline.start_tvm(framework)
    resolved = target_kinds.get(target["kind"]).resolve(target)
    clock = pipeline.Clock()
    imported, module, input_shape = pipeline.import_file(Path(model_file), framework, clock)
    tvm_target, ours = tvm.target.Target(resolved), schedule != UNSCHEDULED
    kind = target_kinds.get(tvm_target.kind.name)
    steps = levels.kernel_pipeline(passes, kind, tvm_target, own_kernels=ours)
    compilation = blame.Compilation(imported, steps, passes, tvm_target, ours)
    with around(compilation):
        compiled = pipeline.compile_module(
            module,
            tvm_target,
            steps,
            passes,
            schedule,
            Path(database) if database else None,
            pipeline.Outputs(Path(output), Path(graph), Path(scheduled) if scheduled else None),
            clock,
        )
    described = {"target": resolved, "peak_lanes": kind.peak_lanes(tvm_target)}
    described |= {"input_shape": input_shape, "tvm": tvm.__version__}
    described |= importers.tensor_types(Path(model_file), framework)
    return described | compiled | {"seconds": clock.seconds}, compilation
