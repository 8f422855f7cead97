"""Debian's packages, where the tests run as root."""

import fcntl
import os
import shutil
import subprocess


def run(*command: str) -> str:
    """A command's output; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def missing(*programs: str) -> str:
    """Why these programs aren't here and can't be installed; empty where they are or can."""
    if all(map(shutil.which, programs)):
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"{', '.join(programs)}: not installed, and only root with apt-get can install them"
    return ""


def install(*packages: str) -> None:
    """Install packages, one process at a time: apt-get refuses two."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    with open("/run/deltann-apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("apt-get", "update")
        run("apt-get", "install", "--yes", "--no-install-recommends", *packages)
