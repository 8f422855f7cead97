"""CUDA GPUs: kernels of blocks of threads, by NVIDIA's runtime compiler. It takes no GPU."""

import io
from importlib.metadata import files
from pathlib import Path

from deltann.cell import UNSCHEDULED
from deltann.tvm.cuda import operators, schedules
from deltann.tvm.target_kinds.llvm import link

# The section that holds a kernel's machine code, and what TVM appends to the kernel's name.
SECTION, KERNEL = ".text.", "_kernel"


def layout_passes(device) -> list:
    """None: neighbouring threads take neighbouring pixels, as the model's own layout has them."""
    return []


def kernel_passes(device) -> list:
    """Convolutions as products of tiles."""
    return [operators.gather_convolutions()]


def schedule(module, device, name: str, tuned=None):
    """By our own schedules; or, of the schedule `none`, by TVM's: no GPU runs a bare loop."""
    if name == UNSCHEDULED:
        from tvm.s_tir import dlight

        gpu = dlight.gpu
        rules = gpu.Matmul(), gpu.GEMV(), gpu.Reduction(), gpu.GeneralReduction(), gpu.Fallback()
        return dlight.ApplyDefaultSchedule(*rules)(module), []
    return schedules.apply(module, device)


def lowering() -> list:
    """The passes of TVM's CUDA backend."""
    from tvm.relax.backend.cuda import pipeline

    # neither list depends on the target that it asks for
    return [*pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]


def build(module, device, output: Path) -> dict[str, int]:
    """Write a shared library for the processor beside the GPU, the GPU's code inside.

    TVM 0.27 keeps it as text, which the machine that loads it compiles (see `compile_when_loaded`);
    here it is compiled to be counted, and so that what doesn't compile fails now.
    """
    import tvm
    import tvm_ffi

    sizes: dict[str, int] = {}

    def generated(code: str, _) -> str:
        sizes.update(code_bytes(assemble(code, device.attrs["arch"])))
        return code

    tvm_ffi.register_global_func("tvm_callback_cuda_postproc", generated, override=True)
    built = tvm.compile(module, device, relax_pipeline=tvm.transform.Sequential([]))
    built.export_library(str(output), fcompile=link)
    return sizes


def compile_when_loaded(architecture: str) -> None:
    """Have a library's code compiled as `assemble` does, not as TVM would: with fast math."""
    import tvm_ffi

    def compiled(code: str) -> bytes:
        return assemble(code, architecture)

    tvm_ffi.register_global_func("tvm_callback_cuda_compile", compiled, override=True)


def assemble(code: str, architecture: str) -> bytes:
    """Compile CUDA C++ by NVRTC; without its fast math, which TVM's own call switches on.

    Args:
        code: what TVM generated.
        architecture: `sm_80` for machine code, `compute_80` for PTX.

    Raises:
        RuntimeError: it doesn't compile; with NVRTC's log.
    """
    from cuda.bindings import nvrtc

    success = nvrtc.nvrtcResult.NVRTC_SUCCESS
    _, program = nvrtc.nvrtcCreateProgram(code.encode(), b"kernels.cu", 0, [], [])
    options = [f"--gpu-architecture={architecture}", f"--include-path={_headers()}"]
    options = [option.encode() for option in options]
    (result,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if result != success:
        raise RuntimeError(f"NVRTC, for {architecture}: {_read(nvrtc, 'ProgramLog', program)!r}")
    return _read(nvrtc, "CUBIN" if architecture.startswith("sm_") else "PTX", program)


def _headers() -> Path:
    """Those that TVM's code includes: this environment's, whatever else is on the machine."""
    found = next(file for file in files("nvidia-cuda-cccl") if file.match("cccl/cuda/std/cstdint"))
    return Path(found.locate()).parents[2]


def _read(nvrtc, what: str, program) -> bytes:
    _, size = getattr(nvrtc, f"nvrtcGet{what}Size")(program)
    found = bytearray(size)
    getattr(nvrtc, f"nvrtcGet{what}")(program, found)
    return bytes(found)


def code_bytes(binary: bytes) -> dict[str, int]:
    """How much machine code each kernel is, by the sections of the binary."""
    from elftools.elf.elffile import ELFFile

    sections = ELFFile(io.BytesIO(binary)).iter_sections()
    return {
        section.name.removeprefix(SECTION).removesuffix(KERNEL): section["sh_size"]
        for section in sections
        if section.name.startswith(SECTION)
    }
