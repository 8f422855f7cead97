"""Processors: kernels on packed tensors, compiled by LLVM."""

import subprocess
from pathlib import Path
from typing import Any

from deltann import interpreter
from deltann.cell import UNSCHEDULED
from deltann.ours import ours
from deltann.tvm import llvm_names
from deltann.tvm.cpu import peaks, schedules
from deltann.tvm.cpu.vectors import Vectors
from deltann.tvm.llvm_names import HOST

TARGET_KEYS = ("kind", "mcpu", "mtriple", "mattr")
# A schedule that no cell has: kernels on packed tensors, unscheduled.
PACKED = "packed"
# TVM appends this to the name of a kernel's function.
KERNEL = "_compute_"


def check(key: str, target: dict) -> None:
    """Accept any values: `resolve` asks LLVM, and so does `workflow.targets`, earlier."""


def resolve(target: dict) -> dict:
    """The target that TVM takes: `mcpu: host` becomes this machine's processor.

    Raises:
        StudyError: LLVM doesn't know a name in it.
    """
    llvm_names.check("devices.*.target", target)
    if target.get("mcpu") != HOST:
        return target
    from tvm.target import codegen

    return target | {"mcpu": codegen.llvm_get_system_cpu()}


def vectors(tvm_target: Any) -> Vectors:
    """The vectors of a `tvm.target.Target`: those of its widest extension.

    TVM 0.27's `llvm_get_vector_width` returns 512 bits for any x86-64.
    """
    from tvm.target import codegen

    features = set(codegen.llvm_get_cpu_features(tvm_target))
    extensions = {"avx512f": Vectors(16, 34), "avx": Vectors(8, 19), "neon": Vectors(4, 34)}
    for name, its_vectors in extensions.items():
        if name in features:
            return its_vectors
    return Vectors(4, 15)


def integer_passes(tvm_target: Any) -> list:
    """Quantized operators in whole numbers, where AVX512-VNNI multiplies and adds them."""
    from tvm.relax import transform
    from tvm.target import codegen

    from deltann.tvm.passes.integer_arithmetic import integer_arithmetic

    if "avx512vnni" not in set(codegen.llvm_get_cpu_features(tvm_target)):
        return []
    # the float32 weights that nothing reads any more would all be computed by `FoldConstant`
    return [integer_arithmetic(), transform.DeadCodeElimination()]


def layout_passes(tvm_target: Any) -> list:
    """Tensors stay packed from one kernel to the next."""
    from deltann.tvm.passes.pack_layout import pack_layout

    return [pack_layout(vectors(tvm_target))]


def kernel_passes(tvm_target: Any) -> list:
    """Convolutions and matrix products become kernels on packed tensors."""
    from deltann.tvm.passes.pack_layout import pack_operators

    return [pack_operators(vectors(tvm_target))]


def schedule(module: Any, tvm_target: Any, name: str, tuned: Any = None) -> Any:
    """Schedule every kernel, by its fastest measured form or by the rules; or none."""
    if name in (UNSCHEDULED, PACKED):
        return module, []
    with ours("the schedules for processors"):
        return schedules.apply(module, tuned)


def lowering() -> list:
    """The passes of TVM's CPU backend."""
    from tvm.relax.backend.cpu_generic import pipeline

    # both take a target, and use none
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def peak_lanes(tvm_target: Any) -> int:
    """Float32 numbers in a vector register of the target."""
    return vectors(tvm_target).lanes


def build(module: Any, tvm_target: Any, output: Path) -> dict[str, int]:
    """Write a shared library, with the kernels that measure what its code can reach."""
    import tvm

    with ours("the kernels that measure peaks"):
        module = tvm.IRModule(dict(module.functions_items()), attrs=module.attrs)
        module.update(tvm.IRModule(peaks.kernels(peak_lanes(tvm_target))))
    built = tvm.compile(module, tvm_target, relax_pipeline=tvm.transform.Sequential([]))
    built.export_library(str(output), fcompile=link)
    with ours("measuring a library's code"):
        return code_bytes(output)


def link(library: str, objects: list[str]) -> None:
    """Link object files to a shared library, by the environment's own linker.

    No compiler need be installed, and every machine links with the same program.
    """
    command = interpreter.tool("ziglang", "ld.lld", "-shared", "--build-id=none")
    subprocess.run([*command, "-o", library, *objects], check=True)


def code_bytes(library: Path) -> dict[str, int]:
    """The bytes of machine code of each kernel of a model's library, its parallel loops included.

    LLVM puts parallel loops, functions without a symbol, behind the kernel that runs them.
    """
    from elftools.elf.elffile import ELFFile

    with library.open("rb") as stream:
        elf = ELFFile(stream)
        text: Any = elf.get_section_by_name(".text")
        table: Any = elf.get_section_by_name(".symtab")
        symbols = table.iter_symbols()
        starts = {s["st_value"]: s.name for s in symbols if s["st_info"]["type"] == "STT_FUNC"}
        end = text["sh_addr"] + text["sh_size"]
    order = sorted(starts)
    sizes = {
        starts[start].removesuffix(KERNEL): stop - start
        for start, stop in zip(order, [*order[1:], end], strict=True)
        if starts[start].endswith(KERNEL)
    }
    return {name: size for name, size in sizes.items() if name not in peaks.KERNELS}
