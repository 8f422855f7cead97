"""GPU code compiled by NVRTC, NVIDIA's runtime compiler. It needs no GPU."""

import io
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from typing import Any

# The prefix of the sections with machine code. TVM appends KERNEL to a kernel's name.
SECTION, KERNEL = ".text.", "_kernel"


def compile_when_loaded(architecture: str) -> None:
    """Compile a library's GPU code by `assemble`, since TVM's own call uses fast math."""
    import tvm_ffi

    def compiled(code: str) -> bytes:
        return assemble(code, architecture)

    tvm_ffi.register_global_func("tvm_callback_cuda_compile", compiled, override=True)


def assemble(code: str, architecture: str) -> bytes:
    """Compile CUDA C++ by NVRTC, without fast math.

    Args:
        code: the source that TVM generated.
        architecture: `sm_80` for machine code, `compute_80` for PTX.

    Raises:
        RuntimeError: a compilation error, with NVRTC's log.
    """
    from cuda.bindings import nvrtc

    success = nvrtc.nvrtcResult.NVRTC_SUCCESS
    _, program = nvrtc.nvrtcCreateProgram(code.encode(), b"kernels.cu", 0, [], [])
    flags = [f"--gpu-architecture={architecture}", f"--include-path={_headers()}"]
    flags.append("--disable-warnings")  # the log has the errors, not lost among hundreds of others
    options = [flag.encode() for flag in flags]
    (result,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if result != success:
        log = _read(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
        text = log.decode().strip("\0\n")
        raise RuntimeError(f"NVRTC, for {architecture}: {text}")
    if architecture.startswith("sm_"):
        return _read(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    return _read(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)


def _headers() -> Path:
    """The folder of the headers that TVM's code includes, in this environment."""
    installed = files("nvidia-cuda-cccl") or []
    header = next(file for file in installed if file.match("cccl/cuda/std/cstdint"))
    return Path(str(header.locate())).parents[2]


def _read(size_of: Callable, read: Callable, program: Any) -> bytes:
    """One of NVRTC's results: `size_of` gives its length, `read` fills a buffer."""
    _, size = size_of(program)
    buffer = bytearray(size)
    read(program, buffer)
    return bytes(buffer)


def code_bytes(binary: bytes) -> dict[str, int]:
    """The bytes of machine code of each kernel, by the sections of the binary."""
    from elftools.elf.elffile import ELFFile

    sections = ELFFile(io.BytesIO(binary)).iter_sections()
    return {
        section.name.removeprefix(SECTION).removesuffix(KERNEL): section["sh_size"]
        for section in sections
        if section.name.startswith(SECTION)
    }
