"""From a model file to a library: import, graph passes, schedules, lowering and code generation."""

import time
from pathlib import Path
from typing import Any, NamedTuple

from deltann.precision import look
from deltann.tvm import levels, precision, target_kinds, tuning, work
from deltann.tvm.importers import import_model
from deltann.tvm.load import load_tvm

# asserts in kernels cost a third of the build
NO_ASSERTS = {"tirx.disable_assert": True}


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
        `importers.Imported`, its module after the repairs, and the shape of its input.

    Raises:
        ValueError: a dimension of the input isn't a number.
    """
    imported = import_model(model_file, framework)
    module = imported.repaired()
    clock.lap("import")
    return imported, module, fixed_shape(imported.original["main"].params[0])


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
    steps: list[tuple[str | None, Any]],
    passes: list[str],
    schedule: str,
    database: Path | None,
    outputs: Outputs,
    clock: Clock,
) -> dict:
    """Compile an imported model to a shared library.

    Args:
        module, tvm_target: a `tvm.IRModule` and a `tvm.target.Target`.
        steps, passes: those of `levels.kernel_pipeline`, and the names of those switched on.
        schedule: one of `cell.SCHEDULES`, or `target_kinds.llvm.PACKED`.
        database: for the schedule `tuned`, a tar of tuning records.
        outputs: the files to write.
        clock: gets the steps `passes`, `graph`, `schedule` and `build`.

    Returns:
        `passes`, the names of all passes that ran; `idle`, those switched on that changed nothing;
        `operators`, `work`: see `_Operators`, `work.of_kernels`; `kernels`, their number; the names
        of `integers`, which multiply whole numbers, and `unscheduled`; `code_bytes`, of each.
    """
    tvm, kind = load_tvm(), target_kinds.get(tvm_target.kind.name)
    with tvm_target, tvm.transform.PassContext(opt_level=3, config=NO_ASSERTS):
        operators = _Operators(module)
        module, idle = levels.run(steps, module, passes, operators.look)
        clock.lap("passes")
        _write_script(module, outputs.graph)
        to_do = work.of_kernels(module)
        clock.lap("graph")
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
        "operators": operators.found,
        "kernels": len(to_do),
        "work": to_do,
        "integers": precision.in_integers(to_do),
        "unscheduled": unscheduled,
        "code_bytes": sizes,
    }


class _Operators:
    """The precisions of a module's operators, of `precision.operators`.

    Attributes:
        found: those of the `imported` module, and of the `compiled` one, as the passes left it.
    """

    def __init__(self, module: Any) -> None:
        imported = look("what TVM's import computes in", lambda: precision.operators(module))
        self._kinds = precision.stored(module) if imported else set()
        self.found = {"imported": imported, "compiled": imported}

    def look(self, module: Any) -> None:
        """Look at the module after the passes."""
        self.found["compiled"] = look(
            "what TVM's passes compute in", lambda: precision.operators(module, self._kinds)
        )


def _write_script(module: Any, path: Path | None) -> None:
    """Write a module as TVMScript, unless `path` is None."""
    if path:
        path.write_text(module.script(show_meta=False), encoding="utf-8")
