"""What a program takes: seconds, processor seconds, memory."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Measured:
    """What a step took on a study of this size.

    Attributes:
        seconds, processor_seconds: by the clock, and of all the machine's cores.
        memory_mb: the largest resident set of one process.
    """

    step: str
    cells: int
    images: int
    seconds: float
    processor_seconds: float
    memory_mb: float


def measure(
    step: str, size: tuple[int, int], command: list[str], folder: Path, **variables: str
) -> Measured:
    """Run a program in a folder to its end.

    Args:
        step: what the table calls it.
        size: numbers of cells and of images.
        command: the program and its arguments.
        folder: where it runs; what it says goes to `output.txt` there.
        variables: of its environment.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    said = folder / "output.txt"
    start = time.monotonic()
    with said.open("wb") as output:
        child = subprocess.Popen(
            command, cwd=folder, env=os.environ | variables, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        end = said.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise RuntimeError(f"{step}: {command} ended with {child.returncode}:\n{end}")
    # Linux counts in KiB; the largest of the children that a program waited for counts as its own
    memory = usage.ru_maxrss * 1024 / 1e6
    found = Measured(step, *size, seconds, usage.ru_utime + usage.ru_stime, memory)
    print(found, flush=True)
    return found
