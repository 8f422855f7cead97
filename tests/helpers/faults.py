"""Small, full and read-only file systems, and little memory; skips without privilege."""

import errno
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(path: Path, megabytes: float, *options: str):
    """Mount a small file system in memory, or skip where that isn't allowed."""
    path.mkdir(parents=True, exist_ok=True)
    size = f"size={int(megabytes * 1024)}k"
    command = ["mount", "-t", "tmpfs", "-o", ",".join([size, *options]), "none", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting takes a privilege that this process hasn't: {error}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def filled(path: Path, free: int = 0):
    """Fill a file system with a file, up to so many bytes."""
    ballast = path / "ballast"
    with open(ballast, "wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(path).free - free)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def mounted_again(place: str):
    """Have a folder read-only for all, root too, or skip where that isn't allowed."""
    try:
        subprocess.run(["mount", "--bind", place, place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting takes a privilege that this process hasn't: {error}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def memory(megabytes: int):
    """A control group whose processes the kernel kills when they take more memory, or skip."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = {controllers: path for _, controllers, path in lines}
    first = "memory" in own
    root = Path("/sys/fs/cgroup/memory" if first else "/sys/fs/cgroup")
    group = root / own.get("memory", own.get("", "/")).lstrip("/") / f"deltann-{os.getpid()}"
    try:
        group.mkdir()
        limit = group / ("memory.limit_in_bytes" if first else "memory.max")
        limit.write_text(str(megabytes << 20))
        if not first:
            (group / "memory.swap.max").write_text("0")
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"no control group for memory can be made here: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        _remove(group)


def _remove(group: Path, seconds: float = 30) -> None:
    """Remove a control group, once the processes that were killed in it are gone."""
    end = time.monotonic() + seconds
    while True:
        try:
            return group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.1)
