"""The child process of an isolated job: import a stage's module, call its `work`, leave the answer.

Run by `deltann.execution.isolation` as `python -m deltann.execution.worker`.
"""

import errno
import json
import os
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from deltann.errors import StudyError, Unreachable
from deltann.execution import messages
from deltann.ours import WORK

# In the job's folder. `OURS` names the work of this project that is under way.
ARGUMENTS, ANSWER, OURS = "arguments.json", "answer.json", "ours.txt"
# Lines of a job's log, by which benchmarks/overhead knows when a foreign tool was at work: with the
# stage's module and the seconds since 1970, the last also with the processor seconds between them.
BEGINS, ENDS = "work begins:", "work ends:"
PACKAGE = Path(__file__).resolve().parents[1]
MACHINE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}
# What a foreign tool says in an exception of its own if the disk is the cause.
MACHINE_MESSAGES = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)]
OUR_BUGS = (NameError, AttributeError, TypeError, ImportError, SyntaxError)


def main(module: str, folder: Path, imported: int) -> None:
    """Call `module`.work with the arguments in `folder`, and leave the answer there.

    The answer is a JSON object: `result`, or `type`, `message`, `traceback`, `ours` and
    `transient` of an exception; and `peak_memory_bytes`, of this process.

    Args:
        module: of a stage.
        folder: for the arguments and the answer.
        imported: a file descriptor, closed once the module is imported.
    """
    import resource

    WORK.report = lambda names: (folder / OURS).write_text("\n".join(names))
    try:
        stage = import_module(module)
        os.close(imported)
        sys.stdin.read()  # ends when the arguments are there
        answer: dict[str, Any] = {
            "result": _call(stage, json.loads((folder / ARGUMENTS).read_text()))
        }
    except Exception as error:  # a foreign tool may raise anything
        traceback.print_exc()
        answer = describe(error)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    answer["peak_memory_bytes"] = usage.ru_maxrss * 1024
    part = folder / f"{ANSWER}.part"
    part.write_text(json.dumps(answer))
    part.rename(folder / ANSWER)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # some runtimes crash while they unload, after the work is done


def _call(stage: ModuleType, arguments: dict) -> dict:
    """The stage's result; two lines in the log say when its work began and ended."""
    before = _processor_seconds()
    print(f"{BEGINS} {stage.__name__} {time.time():.3f}", flush=True)
    result = _storable(stage.work(**arguments))
    spent = _processor_seconds() - before
    print(f"{ENDS} {stage.__name__} {time.time():.3f} {spent:.3f}", flush=True)
    return result


def describe(error: Exception) -> dict:
    """What a process tells its parent of an exception: type, message, traceback, whose it is."""
    return {
        "type": type(error).__name__,
        "message": messages.bounded(str(error) or repr(error)),
        "traceback": messages.bounded("".join(traceback.format_exception(error))),
        "ours": _is_ours(error),
        "transient": isinstance(error, Unreachable),
    }


def _is_ours(error: BaseException) -> bool:
    """Whether this project or the machine is at fault, not the foreign tool."""
    if isinstance(error, StudyError):
        return True
    if isinstance(error, OSError) and error.errno in MACHINE_ERRNOS:
        return True
    if any(message in str(error) for message in MACHINE_MESSAGES):
        return True
    return isinstance(error, OUR_BUGS) and PACKAGE in _origin(error).parents


def _origin(error: BaseException) -> Path:
    """The file in which an exception arose; Python's import machinery doesn't count."""
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename)
    machinery = ("<frozen importlib", import_module.__code__.co_filename)
    names = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return Path([name for name in names if not name.startswith(machinery)][-1])


def _storable(result: dict) -> dict:
    """The result, if JSON can hold it.

    Raises:
        StudyError: it can't, which is a bug of the stage.
    """
    try:
        json.dumps(result)
    except (TypeError, ValueError) as error:
        raise StudyError(f"the stage returned a result that JSON can't hold: {error}") from error
    return result


def _processor_seconds() -> float:
    """Processor time of this process and of the children that it waited for."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
