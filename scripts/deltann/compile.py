"""Import a model into TVM, take it through a level's passes, schedule its kernels, build a library."""

import time
from pathlib import Path

from deltann.importers import import_model
from deltann.levels import passes
from deltann.tvm_start import load_tvm

TARGET_KEYS = ("kind", "mcpu", "mtriple", "mattr")
HOST = "host"


def check_target(target: dict) -> None:
    """Check a device's target as far as possible without TVM.

    Raises:
        ValueError: a kind other than `llvm`, or an unknown key.
    """
    if target["kind"] != "llvm":
        raise ValueError(f"kind {target['kind']!r}; expected llvm")
    for key in target:
        if key not in TARGET_KEYS:
            raise ValueError(f"unknown key {key!r}; expected one of {', '.join(TARGET_KEYS)}")


def resolve_target(target: dict) -> dict:
    """The target with `mcpu: host` replaced by this machine's processor, all its features on."""
    if target.get("mcpu") != HOST:
        return target
    from tvm.target import codegen

    return target | {"mcpu": codegen.llvm_get_system_cpu()}


def lowering() -> list:
    """The passes from Relax with TIR kernels to what the virtual machine runs, as TVM's CPU backend."""
    from tvm.relax.backend.cpu_generic import pipeline

    # neither list depends on the target
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def work(framework: str, level: str, target: dict, source: str, output: str) -> dict:
    """Compile a model file to a shared library.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        level: one of `levels.LEVELS`.
        target: TVM target; `mcpu: host` means this machine's.
        source: the model file.
        output: the library to write.

    Returns:
        The resolved target, the number of kernels, those left unscheduled, and the seconds that
        importing, the passes, the schedule and code generation took.
    """
    from deltann import schedules

    if framework == "torch":
        import torch  # noqa: F401  before TVM: see load_tvm
    tvm = load_tvm()
    start = time.perf_counter()
    clock = {}

    def lap(name: str) -> None:
        clock[name] = round(time.perf_counter() - start - sum(clock.values()), 3)

    resolved = resolve_target(target)
    module = import_model(Path(source), framework)
    lap("import")
    with tvm.target.Target(resolved):
        module = tvm.transform.Sequential(passes(level))(module)
        lap("passes")
        module, fallbacks = schedules.apply(module)
        lap("schedule")
        module = tvm.transform.Sequential(lowering())(module)
        built = tvm.compile(
            module, tvm.target.Target(resolved), relax_pipeline=tvm.transform.Sequential([])
        )
        built.export_library(output)
    lap("build")
    kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
    return {
        "target": resolved,
        "tvm": tvm.__version__,
        "kernels": len(kernels),
        "unscheduled": fallbacks,
        "seconds": clock,
    }
