"""CUDA GPUs: kernels of blocks of threads, compiled by NVRTC. Compiling needs no GPU."""

from pathlib import Path
from typing import Any

from deltann.cell import UNSCHEDULED
from deltann.errors import StudyError
from deltann.ours import ours
from deltann.tvm import target_kinds
from deltann.tvm.cuda import nvrtc, operators, schedules
from deltann.tvm.target_kinds import llvm

TARGET_KEYS = ("kind", "arch", "host")


def check(key: str, target: dict) -> None:
    """Check that the architecture is there, and that the host is a processor."""
    if "arch" not in target:
        raise StudyError(
            f"config key {key}.arch is missing; expected sm_ and the GPU's compute capability, as "
            "sm_80"
        )
    if "host" in target:
        target_kinds.check(f"{key}.host", target["host"])
        kind = target["host"]["kind"]
        if kind != target_kinds.CPU:
            raise StudyError(f"config key {key}.host.kind: {kind!r}; expected {target_kinds.CPU}")


def resolve(target: dict) -> dict:
    """The target that TVM takes: without a host, any processor of this machine's architecture."""
    return target | {"host": llvm.resolve(target.get("host", {"kind": target_kinds.CPU}))}


def integer_passes(tvm_target: Any) -> list:
    """None: kernels for GPUs compute in real numbers."""
    return []


def layout_passes(tvm_target: Any) -> list:
    """None: threads next to each other take pixels next to each other, as in NCHW."""
    return []


def kernel_passes(tvm_target: Any) -> list:
    """Convolutions become products of tiles."""
    return [operators.gather_convolutions()]


def schedule(module: Any, tvm_target: Any, name: str, tuned: Any = None) -> Any:
    """By our schedules; for `none` by TVM's, since no GPU runs an unscheduled loop."""
    if name == UNSCHEDULED:
        from tvm.s_tir import dlight

        gpu = dlight.gpu
        rules = gpu.Matmul(), gpu.GEMV(), gpu.Reduction(), gpu.GeneralReduction(), gpu.Fallback()
        return dlight.ApplyDefaultSchedule(*rules)(module), []
    with ours("the schedules for GPUs"):
        return schedules.apply(module, tvm_target)


def lowering() -> list:
    """The passes of TVM's CUDA backend."""
    from tvm.relax.backend.cuda import pipeline

    # both take a target, and use none
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def peak_lanes(tvm_target: Any) -> int:
    """None: a GPU's kernels run on after their calls, which the clock of a call can't see."""
    return 0


def build(module: Any, tvm_target: Any, output: Path) -> dict[str, int]:
    """Write a shared library for the GPU's host, with the GPU's code inside.

    TVM 0.27 stores that code as text, compiled when the library is loaded (see
    `nvrtc.compile_when_loaded`). It is compiled here too: to measure it, and to fail early.
    """
    import tvm
    import tvm_ffi

    sizes: dict[str, int] = {}

    def generated(code: str, _: Any) -> str:
        sizes.update(nvrtc.code_bytes(nvrtc.assemble(code, tvm_target.attrs["arch"])))
        return code

    tvm_ffi.register_global_func("tvm_callback_cuda_postproc", generated, override=True)
    built = tvm.compile(module, tvm_target, relax_pipeline=tvm.transform.Sequential([]))
    built.export_library(str(output), fcompile=llvm.link)
    return sizes
