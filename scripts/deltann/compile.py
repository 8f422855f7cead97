"""Schedule the kernels of a lowered model for one device and build a library."""

import subprocess
import sys
import time
from pathlib import Path

from deltann import schedules
from deltann.tvm_start import load_tvm

TARGET_KEYS = ("kind", "mcpu", "mtriple", "mattr")
HOST = "host"


def check_target(target: dict) -> None:
    """Check a device's target as far as possible without TVM.

    Raises:
        ValueError: a kind other than `llvm`, or an unknown key.
    """
    if target.get("kind") != "llvm":
        raise ValueError(f"kind {target.get('kind')!r}; expected llvm")
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


def work(target: dict, source: str, output: str) -> dict:
    """Compile a lowered model to a shared library.

    Args:
        target: TVM target; `mcpu: host` means this machine's.
        source: the TVM module, JSON.
        output: the library to write.

    Returns:
        The resolved target, the shape of the input, TVM's version, the number of kernels and the
        names of those left unscheduled, and the seconds that the schedule and code generation
        took.
    """
    tvm = load_tvm()
    start = time.perf_counter()
    resolved = resolve_target(target)
    module = tvm.ir.load_json(Path(source).read_text())
    input_shape = [int(side) for side in module["main"].params[0].ty.shape]
    # the machine itself checks main's input; asserts in each kernel cost a third of the build
    context = tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True})
    with tvm.target.Target(resolved), context:
        module, unscheduled = schedules.apply(module)
        scheduled = time.perf_counter()
        module = tvm.transform.Sequential(lowering())(module)
        built = tvm.compile(
            module, tvm.target.Target(resolved), relax_pipeline=tvm.transform.Sequential([])
        )
        built.export_library(output, fcompile=link)
    kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
    return {
        "target": resolved,
        "input_shape": input_shape,
        "tvm": tvm.__version__,
        "kernels": len(kernels),
        "unscheduled": unscheduled,
        "seconds": {
            "schedule": round(scheduled - start, 3),
            "build": round(time.perf_counter() - scheduled, 3),
        },
    }
