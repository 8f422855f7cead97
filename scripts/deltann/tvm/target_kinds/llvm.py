"""Processors: kernels of packed tensors, by LLVM."""

import subprocess
import sys
from pathlib import Path

from deltann.cell import UNSCHEDULED
from deltann.tvm.cpu import schedules
from deltann.tvm.levels import Vectors

# A schedule that no cell has: the kernels that the rules are made for, left unscheduled.
PACKED = "packed"
# What TVM appends to the name of a kernel's own function.
KERNEL = "_compute_"


def vectors(device) -> Vectors:
    """What a `tvm.target.Target` computes with: the widest of the extensions it has.

    TVM 0.27's `llvm_get_vector_width` says 512 bits for any x86-64.
    """
    from tvm.target import codegen

    features = set(codegen.llvm_get_cpu_features(device))
    extensions = {"avx512f": Vectors(16, 34), "avx": Vectors(8, 19), "neon": Vectors(4, 34)}
    for name, found in extensions.items():
        if name in features:
            return found
    return Vectors(4, 15)


def layout_passes(device) -> list:
    """Tensors stay packed from one kernel to the next."""
    from deltann.tvm.passes.pack_layout import pack_layout

    found = vectors(device)
    return [pack_layout(found.lanes, found.registers)]


def kernel_passes(device) -> list:
    """Convolutions and matrix products of packed tensors."""
    from deltann.tvm.passes.pack_layout import pack_operators

    found = vectors(device)
    return [pack_operators(found.lanes, found.registers)]


def schedule(module, device, name: str, tuned=None):
    """Schedule every kernel by the rules, or by what was measured; or none."""
    return (module, []) if name in (UNSCHEDULED, PACKED) else schedules.apply(module, tuned)


def lowering() -> list:
    """The passes of TVM's CPU backend."""
    from tvm.relax.backend.cpu_generic import pipeline

    # neither list depends on the target that it asks for
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def build(module, device, output: Path) -> dict[str, int]:
    """Write a shared library."""
    import tvm

    built = tvm.compile(module, device, relax_pipeline=tvm.transform.Sequential([]))
    built.export_library(str(output), fcompile=link)
    return code_bytes(output)


def link(library: str, objects: list[str]) -> None:
    """Link object files to a shared library, by the linker that the environment carries.

    So no compiler need be installed, and every machine links with the same one.
    """
    command = [sys.executable, "-m", "ziglang", "ld.lld", "-shared", "--build-id=none"]
    subprocess.run([*command, "-o", library, *objects], check=True)


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
