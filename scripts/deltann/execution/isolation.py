"""Run a foreign tool in a child process with a time and a memory limit, and say how it ended.

A converter that raises, a compiler that aborts the process, a run that hangs or eats all
memory: these are results of the study. A bug of ours or a full disk is not: it raises.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from functools import partial
from pathlib import Path

from deltann import interpreter, parent
from deltann.errors import StudyError
from deltann.execution import worker
from deltann.execution.process_tree import ProcessTree
from deltann.ours import Fault

POLL_SECONDS = 0.05
FULL_DISK_BYTES = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a child process may use: wall-clock seconds, and MiB of resident memory."""

    seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Failure:
    """Why a foreign tool failed.

    Attributes:
        type: the exception's class, the signal's name (`SIGSEGV`), `TimeLimit` or `MemoryLimit`.
        message: of the exception, or what happened.
        traceback: of the exception, else empty.
        transient: whether the machine could be at fault, so that trying again makes sense.
    """

    type: str
    message: str
    traceback: str = ""
    transient: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a child process ended.

    Attributes:
        result: what `work` returned, or None if it failed.
        failure: why it failed, or None.
        seconds: wall-clock time.
        peak_memory_bytes: largest resident memory, of the child and its descendants.
    """

    result: dict | None
    failure: Failure | None
    seconds: float
    peak_memory_bytes: int


class Child:
    """A process that imports a stage's module, and then waits to be told what to do with it."""

    def __init__(self, module: str):
        self.folder = Path(tempfile.mkdtemp(prefix="deltann-"))
        self._imported, end = os.pipe()
        self.process = subprocess.Popen(
            [str(interpreter.PYTHON), "-m", worker.__name__, module, str(self.folder), str(end)],
            stdin=subprocess.PIPE,
            pass_fds=(end,),
            env=interpreter.with_package(os.environ),
            start_new_session=True,
            preexec_fn=partial(parent.end_with, os.getpid()),
        )
        os.close(end)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_until_imported(self) -> None:
        """Wait until the process has imported its module, or has ended."""
        os.read(self._imported, 1)  # returns nothing, when the other end is closed

    def begin(self, arguments: dict) -> None:
        """Have it call the module's work(**arguments)."""
        (self.folder / worker.ARGUMENTS).write_text(json.dumps(arguments))
        assert self.process.stdin is not None
        self.process.stdin.close()

    def answer(self) -> dict:
        """What `worker.main` left; empty if the process ended before."""
        path = self.folder / worker.ANSWER
        return json.loads(path.read_text()) if path.exists() else {}

    def work_of_ours(self) -> str:
        """The work of this project, not of a tool, that is under way; empty if there is none."""
        path = self.folder / worker.OURS
        return path.read_text().rpartition("\n")[2] if path.exists() else ""

    def kill(self) -> None:
        """End it and everything it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def close(self) -> None:
        """End it, and remove its folder; calling this twice is harmless."""
        if self.folder.exists():
            self.kill()
            os.close(self._imported)
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Task:
    """A foreign call under way: `module`.work(**arguments) in a process of its own.

    Attributes:
        module: dotted name of a stage's module.
        arguments: JSON-able keyword arguments.
        limits: of the process and its descendants.
        writes: the folder that the call writes to.
        started_child: the process, if it has been started already.
    """

    module: str
    arguments: dict
    limits: Limits
    writes: Path
    started_child: InitVar[Child | None] = None

    def __post_init__(self, started_child: Child | None) -> None:
        self.child = started_child or Child(self.module)
        self.process, self.folder = self.child.process, self.child.folder
        self.started = time.monotonic()
        self.child.begin(self.arguments)

    def wait(self) -> Outcome:
        """Wait for the end, or end it at a limit.

        Raises:
            StudyError: a fault of ours or a full disk, so no result of the study.
        """
        peak, failure = 0, None
        tree = ProcessTree(self.process.pid)
        try:
            while failure is None and self._running():
                peak = max(peak, tree.resident_bytes())
                failure = self._over_limit(peak)
        finally:
            self.child.kill()
        seconds = time.monotonic() - self.started
        answer, under_way = self.child.answer(), self.child.work_of_ours()
        peak = max(peak, answer.get("peak_memory_bytes", 0))
        self.child.close()
        limit, failure = failure, failure or self._failure(answer)
        for folder in full_disks([self.writes, self.folder.parent]) if failure else []:
            raise StudyError(f"{folder}: no space left on the disk: free some and run again")
        if failure and not limit and not failure.transient and under_way and not answer:
            raise Fault(under_way, f"failed: {failure.type}: {failure.message}")
        if answer.get("ours") and failure:
            raise StudyError(f"{failure.type}: {failure.message}\n{failure.traceback.rstrip()}")
        return Outcome(None if failure else answer["result"], failure, seconds, peak)

    def _running(self) -> bool:
        try:
            self.process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _over_limit(self, peak: int) -> Failure | None:
        if peak > self.limits.memory_mb * 2**20:
            message = f"more than {self.limits.memory_mb:g} MiB of memory (the config's limit)"
            return Failure("MemoryLimit", message)
        if time.monotonic() - self.started > self.limits.seconds:
            message = f"not done after {self.limits.seconds:g} s (the config's limit)"
            return Failure("TimeLimit", message, transient=True)
        return None

    def _failure(self, answer: dict) -> Failure | None:
        if "result" in answer:
            return None
        if "type" in answer:
            return Failure(
                answer["type"], answer["message"], answer["traceback"], answer["transient"]
            )
        code = self.process.returncode
        name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return Failure(
            name, f"the process ended by {name} without an answer", transient=name == "SIGKILL"
        )


def full_disks(folders: Iterable[Path | str]) -> list[Path | str]:
    """Those of these folders whose disk has no space left."""
    return [
        folder
        for folder in folders
        if os.path.isdir(folder) and shutil.disk_usage(folder).free < FULL_DISK_BYTES
    ]
