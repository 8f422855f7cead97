"""Run many short tasks of a foreign tool in one process, and go on after a crash or a hang.

A tool's imports take seconds and a case milliseconds, so a process for each case is no choice. A
case that kills the process, or doesn't end in time, is recorded as such, and a new process goes on
with the next case.
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any

from deltann import interpreter, parent
from deltann.errors import StudyError
from deltann.operators.outcome import CRASHED, OK, REFUSED, Outcome

WORKER = "deltann.operators.worker"
# The first case also waits for the imports and the first use of a framework.
START_SECONDS = 180


class _Process:
    """A worker and its answers."""

    def __init__(self, task: str, common: dict, scratch: Path):
        read, write = os.pipe()
        self.child = subprocess.Popen(
            [str(interpreter.PYTHON), "-m", WORKER, task, json.dumps(common), str(write)],
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=(write,),
            cwd=scratch,
            env=interpreter.with_package(os.environ) | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
            preexec_fn=partial(parent.end_with, os.getpid()),
        )
        os.close(write)
        self.answers: queue.Queue[str] = queue.Queue()
        self.new = True
        threading.Thread(target=self._read, args=(os.fdopen(read),), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        """Pass lines on; an empty one says that the process has closed its end."""
        for line in stream:
            self.answers.put(line)
        self.answers.put("")

    def ask(self, arguments: dict, seconds: float) -> Outcome:
        """Have it do one task.

        Raises:
            StudyError: a fault of this project.
        """
        start = time.monotonic()
        limit = seconds + START_SECONDS * self.new
        self.new = False
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(json.dumps(arguments) + "\n")
            self.child.stdin.flush()
            line = self.answers.get(timeout=limit)
        except BrokenPipeError:
            line = ""
        except queue.Empty:
            return Outcome(CRASHED, "", "TimeLimit", f"not done after {limit:g} s", limit)
        spent = round(time.monotonic() - start, 3)
        if not line:
            code = self.child.wait()
            name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            return Outcome(CRASHED, "", name, f"the process ended by {name}", spent)
        answer = json.loads(line)
        if answer.get("ours"):
            raise StudyError(f"{answer['type']}: {answer['message']}\n{answer['traceback']}")
        if answer["ok"]:
            return Outcome(OK, seconds=spent)
        return Outcome(REFUSED, "", answer["type"], answer["message"], spent)

    def end(self) -> None:
        """End it and what it started."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


def run(
    task: str,
    common: dict,
    items: Iterable[tuple[str, dict]],
    seconds: float,
    report: Callable[[str, Outcome], Any] = lambda name, outcome: None,
) -> dict[str, Outcome]:
    """Run one task after the other.

    Args:
        task: the name of a function in `deltann.operators.tasks`.
        common: arguments of all tasks, JSON-able.
        items: the name of each task and its own arguments, JSON-able.
        seconds: time limit of a task.
        report: called with each name and outcome.

    Returns:
        The outcomes by name; `Outcome.step` is empty.

    Raises:
        StudyError: a fault of this project, or no process starts.
    """
    outcomes: dict[str, Outcome] = {}
    process: _Process | None = None
    with tempfile.TemporaryDirectory(prefix="deltann-") as scratch:
        try:
            for name, arguments in items:
                process = process or _Process(task, common, Path(scratch))
                outcome = process.ask(arguments, seconds)
                outcomes[name] = outcome
                report(name, outcome)
                if outcome.status == CRASHED:
                    process.end()
                    process = None
        finally:
            if process:
                process.end()
    return outcomes
