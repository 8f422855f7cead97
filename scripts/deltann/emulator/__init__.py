"""A TVM RPC server for AArch64 on a machine of another architecture: built, and run by QEMU.

The runtime is that of TVM's own wheel for AArch64, in the version of `envs/tvm.txt`. The server, a
program in C (`server.c`), is compiled by the compiler in the environment `tvm`. Programs, not whole
machines, are emulated: QEMU's user mode.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import environment
from deltann.images import fetch
from deltann.provenance import files
from deltann.study import layout

QEMU = "qemu-aarch64"
# The C and C++ libraries of AArch64, where Debian and Ubuntu have them for cross compilers.
SYSROOT = Path("/usr/aarch64-linux-gnu")
PACKAGES = "qemu-user libstdc++6-arm64-cross"
# glibc in the oldest Linux that TVM's wheel runs on.
ZIG_TARGET = "aarch64-linux-gnu.2.28"
PLATFORM = "manylinux_2_28_aarch64"
# The SHA-256 of the wheels for AArch64, by their lines in envs/tvm.txt.
SHA256 = {
    "apache-tvm==0.27.0.post1": "4acfdb7653e4e1ba7a707bdf2833db72eb8fda7d04d99141f2a4e1da43171fb7",
    "apache-tvm-ffi==0.1.14.post1": (
        "c7a759781d4fbf2b99fa12f2741f250b882b06acc2747bb02831d491d1ac7d3c"
    ),
}
PINS = Path("envs/tvm.txt")
LIBRARIES = ("libtvm_runtime.so", "libtvm_ffi.so")
HEADERS = "tvm_ffi/include/"
SOURCE = Path(__file__).with_name("server.c")
BUILT = Path(".cache/emulator")


def check_installed() -> None:
    """Make sure that QEMU and the libraries of AArch64 are there.

    Raises:
        StudyError: they aren't; the message has the command that installs them.
    """
    if shutil.which(QEMU) and (SYSROOT / "lib/libstdc++.so.6").exists():
        return
    raise StudyError(
        f"{QEMU} or the libraries in {SYSROOT} are not installed; expected both. On Debian and "
        f"Ubuntu, as root: apt-get install --no-install-recommends {PACKAGES}"
    )


def build() -> Path:
    """The server's program, with its libraries beside it; made once for each version of them.

    Raises:
        StudyError: a wheel can't be fetched, its SHA-256 is unknown, or the compiler fails.
    """
    pinned = [line for line in environment.pins(PINS) if line.split("==")[0] in _names()]
    unknown = [line for line in pinned if line not in SHA256]
    if unknown:
        raise StudyError(
            f"{PINS}: {unknown[0]}; expected one of {', '.join(SHA256)}. For another version, add "
            f"the SHA-256 of its wheel for AArch64 to {Path(__file__).name} in {SOURCE.parent}"
        )
    version = files.checksum_json({"pins": pinned, "source": SOURCE.read_text(encoding="utf-8")})
    folder = BUILT / version[:16]
    if not folder.exists():
        with files.scratch(folder) as scratch:
            made = scratch / folder.name
            _make(made, pinned)
            os.replace(made, folder)
    return folder / "server"


def _names() -> set[str]:
    return {line.split("==")[0] for line in SHA256}


def _make(folder: Path, pinned: list[str]) -> None:
    """Fetch the libraries and compile the server into a new folder."""
    folder.mkdir()
    headers = folder / "include"
    for requirement in pinned:
        wheel = folder / "fetched.whl"
        fetch.fetch_package(requirement, SHA256[requirement], wheel, (PLATFORM,))
        with zipfile.ZipFile(wheel) as archive:
            _unpack(archive, folder, headers)
        wheel.unlink()
    compiler = [*layout.interpreter("tvm"), "-m", "ziglang", "cc", "-target", ZIG_TARGET, "-O1"]
    libraries = ["-Wl,--no-as-needed", *(str(folder / name) for name in LIBRARIES)]
    found_beside = "-Wl,-rpath,$ORIGIN"
    command = [*compiler, "-I", str(headers), "-o", str(folder / "server"), str(SOURCE)]
    try:
        subprocess.run(
            [*command, *libraries, found_beside],
            check=True,
            env=os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder.absolute() / "zig")},
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise StudyError(f"compiling {SOURCE} failed: {error}") from error
    shutil.rmtree(folder / "zig")


def _unpack(archive: zipfile.ZipFile, folder: Path, headers: Path) -> None:
    """Copy the libraries that the server needs, and the headers of TVM's C interface."""
    for member in archive.namelist():
        name = Path(member).name
        if name in LIBRARIES:
            (folder / name).write_bytes(archive.read(member))
        elif member.startswith(HEADERS) and name.endswith(".h"):
            path = headers / member.removeprefix(HEADERS)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(member))


def device(port: int, key: str, processor: str) -> str:
    """The entry of a config's `devices` for such a server, in YAML."""
    return (
        "  aarch64:\n"
        f"    target: {{kind: llvm, mtriple: aarch64-linux-gnu, mcpu: {processor}}}\n"
        "    native: false\n"
        "    emulated: true\n"
        f"    rpc: {{host: 127.0.0.1, port: {port}, key: {key}}}"
    )


def serve(program: Path, port: int, key: str, processor: str) -> None:
    """Become the server; this function doesn't return."""
    command = [QEMU, "-cpu", processor, "-L", str(SYSROOT), str(program), str(port), key]
    sys.stdout.flush()
    os.execvp(QEMU, command)
