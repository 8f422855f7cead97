"""Run a foreign tool in a child process with a time and a memory limit, and say how it ended.

A converter that raises, a compiler that aborts the process, a run that hangs or eats all
memory: these are results of the study. A bug of ours or a full disk is not: it raises.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psutil

from deltann.errors import StudyError, Unreachable

POLL_SECONDS = 0.05
# Looking for descendants reads every process of the machine: 2 ms, which a timed run would miss.
FAMILY_SECONDS = 0.5
DISK_FULL_BYTES = 1 << 20
# Lines of a job's log, by which benchmarks/overhead knows when a foreign tool was at work: with the
# stage's module and the seconds since 1970, the last also with the processor seconds between them.
BEGINS, ENDS = "work begins:", "work ends:"
PACKAGE = Path(__file__).resolve().parents[1]
MACHINE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}
# What a foreign tool says in an exception of its own, where the disk is the cause.
MACHINE_WORDS = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)]
OUR_BUGS = (NameError, AttributeError, TypeError, ImportError, SyntaxError)


@dataclass(frozen=True)
class Limits:
    """What a child process may use: wall-clock seconds, and MiB of resident memory."""

    seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Failure:
    """Why a foreign tool failed.

    `type` is the exception's class, the signal's name (`SIGSEGV`), `TimeLimit` or `MemoryLimit`.
    `transient` marks an end that could be the machine's fault, so that trying again makes sense.
    """

    type: str
    message: str
    traceback: str = ""
    transient: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a child process ended: its result or its failure, wall seconds, peak resident bytes."""

    result: dict | None
    failure: Failure | None
    seconds: float
    peak_memory_bytes: int


class Child:
    """A process that imports a stage's module, and then waits to be told what to do with it."""

    def __init__(self, module: str):
        self.folder = Path(tempfile.mkdtemp(prefix="deltann-"))
        self._imported, end = os.pipe()
        environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent), "PYTHONSAFEPATH": "1"}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "deltann.execution.isolation",
                module,
                str(self.folder),
                str(end),
            ],
            stdin=subprocess.PIPE,
            pass_fds=(end,),
            env=environment,
            start_new_session=True,
        )
        os.close(end)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_until_imported(self) -> None:
        """Wait until the process has its module, or has ended."""
        os.read(self._imported, 1)  # nothing: the other end is closed

    def begin(self, arguments: dict) -> None:
        """Have it call the module's work(**arguments)."""
        (self.folder / "arguments.json").write_text(json.dumps(arguments))
        self.process.stdin.close()

    def kill(self) -> None:
        """End it and everything it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def close(self) -> None:
        """End it, and remove what it was told and what it answered; once is enough."""
        if self.folder.exists():
            self.kill()
            os.close(self._imported)
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Task:
    """A foreign call under way: `module`.work(**arguments) in a process of its own.

    Attributes:
        child: the process, where it has been started already.
    """

    module: str
    arguments: dict
    limits: Limits
    writes: Path
    child: Child | None = None

    def __post_init__(self) -> None:
        self.child = self.child or Child(self.module)
        self.process, self.folder = self.child.process, self.child.folder
        self.started = time.monotonic()
        self.child.begin(self.arguments)

    def wait(self) -> Outcome:
        """Wait for the end, or end it at a limit.

        Raises:
            StudyError: the fault is ours or the disk's, and no result of the study.
        """
        peak, failure = 0, None
        family = Family(self.process.pid)
        try:
            while failure is None and self._running():
                peak = max(peak, family.resident_bytes())
                failure = self._over_limit(peak)
        finally:
            self.child.kill()
        seconds = time.monotonic() - self.started
        answer = self._answer()
        peak = max(peak, answer.get("peak_memory_bytes", 0))
        self.child.close()
        failure = failure or self._failure(answer)
        for place in full([self.writes, self.folder.parent]) if failure else []:
            raise StudyError(f"{place}: no space left on the disk: free some and run again")
        if answer.get("ours") and failure:
            raise StudyError(f"{failure.type}: {failure.message}\n{failure.traceback}")
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

    def _answer(self) -> dict:
        path = self.folder / "answer.json"
        return json.loads(path.read_text()) if path.exists() else {}

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


def full(places: Iterable[Path | str]) -> list[Path | str]:
    """Those of these folders whose disk has no space left."""
    return [
        place
        for place in places
        if os.path.isdir(place) and shutil.disk_usage(place).free < DISK_FULL_BYTES
    ]


class Family:
    """A process and its descendants."""

    def __init__(self, pid: int):
        self._pid, self._members, self._looked = pid, [], -FAMILY_SECONDS

    def resident_bytes(self) -> int:
        """Resident memory in bytes of all of them; 0 where the process is gone."""
        if time.monotonic() - self._looked >= FAMILY_SECONDS:
            self._members, self._looked = self._look(), time.monotonic()
        total = 0
        for member in self._members:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    def _look(self) -> list[psutil.Process]:
        try:
            process = psutil.Process(self._pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _is_ours(error: BaseException) -> bool:
    """Whether an exception is a fault of ours or of the machine, not of the foreign tool."""
    if isinstance(error, StudyError):
        return True
    if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
        return True
    if any(words in str(error) for words in MACHINE_WORDS):
        return True
    return isinstance(error, OUR_BUGS) and PACKAGE in _origin(error).parents


def _origin(error: BaseException) -> Path:
    """The file where an exception arose: not the import machinery, where an import fails."""
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename)
    machinery = ("<frozen importlib", import_module.__code__.co_filename)
    names = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return Path([name for name in names if not name.startswith(machinery)][-1])


def _die_with_parent() -> None:
    """Have the kernel end this process when the job that started it is killed (Linux only)."""
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _storable(result: dict) -> dict:
    """A stage's result, seen to fit into JSON; else it is our fault, not the tool's."""
    try:
        json.dumps(result)
    except (TypeError, ValueError) as error:
        raise StudyError(f"a result that a record can't hold: {error}") from error
    return result


def _processor_seconds() -> float:
    """Those of this process and of the children it waited for."""
    return sum(os.times()[:4])


def child(module: str, folder: Path, imported: int) -> None:
    """The child's side: call `module`.work with the arguments in `folder`, leave the answer.

    Args:
        module: of a stage.
        folder: for both.
        imported: a file descriptor, closed once the module is imported.
    """
    import resource

    _die_with_parent()
    try:
        stage = import_module(module)
        os.close(imported)
        sys.stdin.read()  # ends when the arguments are there
        arguments = json.loads((folder / "arguments.json").read_text())
        before = _processor_seconds()
        print(f"{BEGINS} {module} {time.time():.3f}", flush=True)
        answer = {"result": _storable(stage.work(**arguments))}
        spent = _processor_seconds() - before
        print(f"{ENDS} {module} {time.time():.3f} {spent:.3f}", flush=True)
    except Exception as error:  # what a foreign tool may raise is not ours to enumerate
        traceback.print_exc()
        answer = {
            "type": type(error).__name__,
            "message": str(error) or repr(error),
            "traceback": traceback.format_exc(),
            "ours": _is_ours(error),
            "transient": isinstance(error, Unreachable),
        }
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer["peak_memory_bytes"] = usage.ru_maxrss * 1024
    part = folder / "answer.part"
    part.write_text(json.dumps(answer))
    part.rename(folder / "answer.json")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # some runtimes crash while they unload, after the work is done


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
