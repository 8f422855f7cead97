"""Compile a model file by TVM for one device. Runs in the child process of the job."""

from pathlib import Path

from deltann.tvm import importers, pipeline, target_kinds


def work(
    framework: str,
    passes: list[str],
    schedule: str,
    target: dict,
    model_file: str,
    output: str,
    graph: str,
    database: str | None = None,
    scheduled: str | None = None,
) -> dict:
    """Compile a model file to a shared library.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        passes: the graph passes switched on, of `levels.PASSES`.
        schedule: one of `cell.SCHEDULES`, or `target_kinds.llvm.PACKED`.
        target: TVM target; `mcpu: host` means this machine's.
        model_file: the file to compile.
        output: the library to write.
        graph: where to write the result of the graph passes, TVMScript.
        database: for the schedule `tuned`, the file that `deltann.stages.tune` wrote.
        scheduled: where to write the scheduled kernels, TVMScript; or None.

    Returns:
        The resolved `target`; the `input_shape` of the model; its `input_type` and `output_type`,
        the fields of `TensorType`; the version of `tvm`, the `seconds` of each step, and what
        `pipeline.compile_module` returns.
    """
    tvm = pipeline.start_tvm(framework)
    resolved = target_kinds.get(target["kind"]).resolve(target)
    clock = pipeline.Clock()
    module, input_shape = pipeline.import_file(Path(model_file), framework, clock)
    compiled = pipeline.compile_module(
        module,
        tvm.target.Target(resolved),
        passes,
        schedule,
        Path(database) if database else None,
        pipeline.Outputs(Path(output), Path(graph), Path(scheduled) if scheduled else None),
        clock,
    )
    described = {"target": resolved, "input_shape": input_shape, "tvm": tvm.__version__}
    described |= importers.tensor_types(Path(model_file), framework)
    return described | compiled | {"seconds": clock.seconds}
