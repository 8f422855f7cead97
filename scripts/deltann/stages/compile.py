"""Compile a model by TVM: its import, one level's graph passes, kernels for one device."""

import tempfile
import time
from pathlib import Path

from deltann.cell import UNSCHEDULED
from deltann.formats import folder_tar
from deltann.stages import tune
from deltann.tvm import target_kinds
from deltann.tvm.importers import import_model
from deltann.tvm.levels import pipeline, run
from deltann.tvm.load import load_tvm


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
        model_file: the file to read.
        output: the library to write.
        graph: the file to write the passes' result to, TVMScript.
        database: for the schedule `tuned`, what `deltann.stages.tune` wrote.
        scheduled: a file to write the module with its schedules to, TVMScript.

    Returns:
        The resolved target, the shape of the input, TVM's version, the names of the passes that
        ran and of those switched on that found nothing to do, the number of kernels that they
        leave and the names of those left unscheduled, each kernel's machine code in bytes, and the
        seconds of each step.
    """
    if framework == "torch":
        import torch  # noqa: F401  before TVM: see load_tvm
    tvm = load_tvm()
    kind = target_kinds.get(target["kind"])
    resolved = kind.resolve(target)
    clock = Clock()
    module = import_model(Path(model_file), framework)
    clock.lap("import")
    input_shape = fixed_shape(module["main"].params[0])
    device = tvm.target.Target(resolved)
    sequence = pipeline(passes, kind, device, own_kernels=schedule != UNSCHEDULED)
    # the machine itself checks main's input; asserts in each kernel cost a third of the build
    context = tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True})
    with device, context:
        module, idle = run(sequence, module, passes)
        clock.lap("passes")
        Path(graph).write_text(module.script(show_meta=False), encoding="utf-8")
        clock.lap("graph")
        kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
        tuned = tuned_kernels(database, device) if database else None
        module, unscheduled = kind.schedule(module, device, schedule, tuned)
        if scheduled:
            Path(scheduled).write_text(module.script(show_meta=False), encoding="utf-8")
        clock.lap("schedule")
        module = tvm.transform.Sequential(kind.lowering())(module)
        sizes = kind.build(module, device, Path(output))
    clock.lap("build")
    return {
        "target": resolved,
        "input_shape": input_shape,
        "tvm": tvm.__version__,
        "passes": [item.info.name for _, item in sequence],
        "idle": idle,
        "kernels": len(kernels),
        "unscheduled": unscheduled,
        "code_bytes": sizes,
        "seconds": clock.seconds,
    }


def tuned_kernels(database: str, device):
    """What `schedules.apply` takes: a kernel's fastest form, by a tarred database."""
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        return tune.best(
            tune.load(str(folder_tar.untar_folder(Path(database), Path(folder)))), device
        )


def fixed_shape(parameter) -> list[int]:
    """The shape of a function's parameter.

    Raises:
        ValueError: a dimension is open.
    """
    shape = list(parameter.ty.shape)
    try:
        return [int(side) for side in shape]
    except TypeError:
        found = ", ".join(map(str, shape))
        raise ValueError(f"the model takes ({found}); expected numbers only") from None


class Clock:
    """Wall seconds of one step after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """End a step: it took the time since the one before."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._last, 3)
        self._last = now
