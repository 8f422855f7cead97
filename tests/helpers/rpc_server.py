"""A TVM RPC server on this machine, and the device that a study has behind it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

from deltann import emulator
from helpers import debian
from helpers.workspace import SNAKEMAKE

HOST, KEY = "127.0.0.1", "lab"
V2 = {"kind": "llvm", "mcpu": "x86-64-v2"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as some:
        some.bind((HOST, 0))
        return some.getsockname()[1]


def server(space, port: int, key: str = KEY, threads: int = 1):
    """A TVM RPC server, on loopback: its process."""
    command = [space.path / ".envs/tvm/bin/python", "-m", "tvm.exec.rpc_server"]
    command += ["--host", HOST, "--port", str(port), "--port-end", str(port + 1), "--key", key]
    return _listening(space, port, command, {"TVM_NUM_THREADS": str(threads)})


def emulated_server(space, port: int):
    """An AArch64 machine behind a server, as `make emulate` runs it: its process."""
    if not shutil.which(emulator.QEMU):
        debian.install(*emulator.PACKAGES.split())
    command = [SNAKEMAKE.parent / "python", "-s", "-E", "scripts/emulated_server.py"]
    command += ["--port", str(port), "--key", KEY, "--processor", "cortex-a72"]
    return _listening(space, port, command, {})


@contextmanager
def _listening(space, port: int, command: list, variables: dict[str, str]):
    process = subprocess.Popen(
        command,
        env=os.environ | variables,
        cwd=space.path,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.2)
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """Kill a server and the processes that serve its sessions."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def rpc(port: int, **changes) -> dict:
    """A device behind a server."""
    address = {"host": HOST, "port": port, "key": KEY}
    return {"target": V2, "native": False, "rpc": address} | changes
