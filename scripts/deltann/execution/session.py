"""A process in another environment that keeps an object, and answers calls of its methods.

Frameworks can't share one process, and loading one takes seconds: so the process stays. A crash, a
hang or too much memory ends it, and is a normal outcome: `ToolFailed`.
"""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from deltann import interpreter, parent
from deltann.errors import StudyError
from deltann.execution import session_worker
from deltann.execution.isolation import POLL_SECONDS, Limits
from deltann.execution.process_tree import ProcessTree


class ToolFailed(Exception):
    """A foreign tool failed in a session.

    Attributes:
        type: the exception's class, the signal's name, `TimeLimit` or `MemoryLimit`.
        message: of the exception, or what happened.
    """

    def __init__(self, type: str, message: str):
        super().__init__(f"{type}: {message}")
        self.type, self.message = type, message


class Session:
    """An object of `module`, which has a class `Served`, in a process of its own.

    A context manager. Arguments and results are what JSON can hold, and numpy arrays.

    Args:
        python: the start of a command that runs a script by the Python of an environment.
        module: dotted name; `Served` of it is made from `arguments`.
        arguments: of `Served`.
        limits: seconds for each call, and memory.
        threads: of the numeric libraries; 0 for their own choice.

    Attributes:
        ended: whether the process has ended, or was.
    """

    def __init__(
        self, python: list[str], module: str, arguments: dict, limits: Limits, threads: int = 0
    ):
        self.limits = limits
        self.ended = False
        self._folder = tempfile.TemporaryDirectory(prefix="deltann-")
        command = [python[0], "-m", session_worker.__name__, module, self._folder.name]
        variables = interpreter.with_package(os.environ)
        if threads:
            variables |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), str(threads))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            start_new_session=True,
            preexec_fn=partial(parent.end_with, os.getpid()),
        )
        try:
            self.call(session_worker.MAKE, **arguments)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, **arguments: Any) -> Any:
        """Call a method of the object.

        Raises:
            ToolFailed: it raised, or the process died or went over a limit, now or in an earlier
                call.
            StudyError: a fault of ours.
        """
        if self.ended:
            raise ToolFailed("Ended", "an earlier call ended the process")
        request = {"method": method, "arguments": arguments}
        text = session_worker.encode(request, Path(self._folder.name), "request")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer = session_worker.decode(self._line(), Path(self._folder.name))
        if "result" in answer:
            return answer["result"]
        if answer["ours"]:
            raise StudyError(f"{answer['type']}: {answer['message']}\n{answer['traceback']}")
        raise ToolFailed(answer["type"], answer["message"])

    def close(self) -> None:
        """End the process; calling this twice is harmless."""
        self.ended = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()  # type: ignore[union-attr]
            except BrokenPipeError:
                pass
        self._folder.cleanup()

    def _line(self) -> str:
        """The next line that the process writes, within the limits."""
        stream, tree, start = self._process.stdout, ProcessTree(self._process.pid), time.monotonic()
        assert stream is not None
        while not select.select([stream], [], [], POLL_SECONDS)[0]:
            if tree.resident_bytes() > self.limits.memory_mb * 2**20:
                self.close()
                raise ToolFailed("MemoryLimit", f"more than {self.limits.memory_mb:g} MiB")
            if time.monotonic() - start > self.limits.seconds:
                self.close()
                raise ToolFailed("TimeLimit", f"not done after {self.limits.seconds:g} s")
        line = stream.readline()
        if not line:
            raise self._died()
        return line.decode()

    def _died(self) -> ToolFailed:
        self.ended = True
        code = self._process.wait()
        name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return ToolFailed(name, f"the process ended by {name} without an answer")


class LastingSession:
    """A session whose process is started again for the next call, if a call has ended it.

    For objects that keep nothing from one call to the next: the call that failed isn't repeated.

    Args:
        start: starts a session.
    """

    def __init__(self, start: Callable[[], Session]):
        self._start, self._session = start, start()

    def call(self, method: str, **arguments: Any) -> Any:
        """See `Session.call`."""
        if self._session.ended:
            self.close()
            self._session = self._start()
        return self._session.call(method, **arguments)

    def close(self) -> None:
        """See `Session.close`."""
        self._session.close()
