"""Compile a model by TVM: its import, one level's graph passes, kernels for one device."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deltann import archive, schedules, tune
from deltann.cell import UNSCHEDULED
from deltann.device import resolve
from deltann.importers import import_model
from deltann.levels import Vectors, pipeline, run
from deltann.tvm_start import load_tvm

# A schedule that no cell has: the kernels that the rules are made for, left unscheduled.
PACKED = "packed"
# What TVM appends to the name of a kernel's own function.
KERNEL = "_compute_"


def vectors(target) -> Vectors:
    """What a `tvm.target.Target` of LLVM computes with: the widest of the extensions it has.

    TVM 0.27's `llvm_get_vector_width` says 512 bits for any x86-64.
    """
    from tvm.target import codegen

    features = set(codegen.llvm_get_cpu_features(target))
    extensions = {"avx512f": Vectors(16, 34), "avx": Vectors(8, 19), "neon": Vectors(4, 34)}
    for name, found in extensions.items():
        if name in features:
            return found
    return Vectors(4, 15)


def lowering() -> list:
    """The passes from TIR kernels to what the virtual machine runs: those of TVM's CPU backend."""
    from tvm.relax.backend.cpu_generic import pipeline

    # neither list depends on the target that it asks for
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def link(library: str, objects: list[str]) -> None:
    """Link object files to a shared library, by the linker that the environment carries.

    So no compiler need be installed, and every machine links with the same one.
    """
    command = [sys.executable, "-m", "ziglang", "ld.lld", "-shared", "--build-id=none"]
    subprocess.run([*command, "-o", library, *objects], check=True)


def work(
    framework: str,
    passes: list[str],
    schedule: str,
    target: dict,
    source: str,
    output: str,
    graph: str,
    database: str | None = None,
    scheduled: str | None = None,
) -> dict:
    """Compile a model file to a shared library.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        passes: the graph passes switched on, of `levels.PASSES`.
        schedule: one of `cell.SCHEDULES`, or `PACKED`.
        target: TVM target; `mcpu: host` means this machine's.
        source: the model file.
        output: the library to write.
        graph: the file to write the passes' result to, TVMScript.
        database: for the schedule `tuned`, what `deltann.tune` wrote.
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
    resolved = resolve(target)
    clock = Clock()
    module = import_model(Path(source), framework)
    clock.lap("import")
    input_shape = fixed_shape(module["main"].params[0])
    device = tvm.target.Target(resolved)
    sequence = pipeline(passes, vectors(device), schedule != UNSCHEDULED)
    # the machine itself checks main's input; asserts in each kernel cost a third of the build
    context = tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True})
    with device, context:
        module, idle = run(sequence, module)
        clock.lap("passes")
        Path(graph).write_text(module.script(show_meta=False), encoding="utf-8")
        clock.lap("graph")
        kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
        unscheduled = []
        if schedule not in (UNSCHEDULED, PACKED):
            tuned = tuned_kernels(database, device) if database else None
            module, unscheduled = schedules.apply(module, tuned)
        if scheduled:
            Path(scheduled).write_text(module.script(show_meta=False), encoding="utf-8")
        clock.lap("schedule")
        module = tvm.transform.Sequential(lowering())(module)
        built = tvm.compile(module, device, relax_pipeline=tvm.transform.Sequential([]))
        built.export_library(output, fcompile=link)
    clock.lap("build")
    return {
        "target": resolved,
        "input_shape": input_shape,
        "tvm": tvm.__version__,
        "passes": [item.info.name for _, item in sequence],
        "idle": idle,
        "kernels": len(kernels),
        "unscheduled": unscheduled,
        "code_bytes": code_bytes(Path(output)),
        "seconds": clock.seconds,
    }


def tuned_kernels(database: str, device):
    """What `schedules.apply` takes: a kernel's fastest form, by a packed database."""
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        return tune.best(tune.load(str(archive.unpack(Path(database), Path(folder)))), device)


def code_bytes(library: Path) -> dict[str, int]:
    """How much machine code each kernel of a library is: its own, and its parallel loops'.

    LLVM puts the loops, functions without a symbol, behind the kernel that runs them.
    """
    from elftools.elf.elffile import ELFFile

    with library.open("rb") as stream:
        elf = ELFFile(stream)
        text = elf.get_section_by_name(".text")
        symbols = elf.get_section_by_name(".symtab").iter_symbols()
        starts = {s["st_value"]: s.name for s in symbols if s["st_info"]["type"] == "STT_FUNC"}
        end = text["sh_addr"] + text["sh_size"]
    order = sorted(starts)
    return {
        starts[start].removesuffix(KERNEL): stop - start
        for start, stop in zip(order, [*order[1:], end], strict=True)
        if starts[start].endswith(KERNEL)
    }


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
