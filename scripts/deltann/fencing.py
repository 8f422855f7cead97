"""Stop a job whose run no longer holds the folder, by a fencing token.

The run that holds the folder writes its token to the owner file and passes it to its jobs in the
environment. A job compares the two before it writes, and once a second. Scripts that are started
by hand have no token and are not checked.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from deltann import parent
from deltann.errors import StudyError

TOKEN, STARTER = "DELTANN_RUN", "DELTANN_SNAKEMAKE"
LOOK_SECONDS = 1.0
# What the owner file says of a run.
OWNER_KEYS = {"host", "boot", "pid", "token"}
# On a shared file system a job may see the owner file late, or while it is being written.
PATIENCE_SECONDS = 2.0
# By then every job of a killed run has looked and stopped, also on a busy machine.
SETTLE_SECONDS = LOOK_SECONDS + PATIENCE_SECONDS + 2


def pass_token(token: str, owner: Path) -> None:
    """Pass a run's token and the path of its owner file to all processes started from now on."""
    os.environ[TOKEN] = f"{token} {owner.absolute()}"


def pass_starter() -> None:
    """Tell the scripts started from now on which Snakemake process starts them: this one."""
    os.environ[STARTER] = str(os.getpid())


def check() -> None:
    """Make sure that the run that started this process still holds the folder.

    Raises:
        StudyError: it doesn't, or the owner file can't be read.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while _holds() is not True:
        if time.monotonic() > end:
            raise StudyError(_reason())
        time.sleep(LOOK_SECONDS / 4)


def in_a_run() -> bool:
    """Whether a run started this process: a job, not a dry run or a script started by hand."""
    return TOKEN in os.environ


def watch_script() -> None:
    """End this script, from a thread, when its run or its Snakemake process is gone."""
    if in_a_run():
        _watch(int(os.environ.get(STARTER, os.getppid())))


def watch_snakemake() -> None:
    """End a job's Snakemake process, from a thread, when its run or its parent is gone."""
    if in_a_run():
        _watch(os.getppid())


def _watch(starter: int) -> None:
    threading.Thread(target=_look, args=(starter,), daemon=True).start()


def _look(starter: int) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        if starter not in parent.ancestors():
            _end(f"process {starter}, which started this job, is gone. This job stops")
        if _holds() is False:
            try:
                check()
            except StudyError as error:
                _end(str(error))


def _end(reason: str) -> None:
    """End this process and its descendants at once, before they write or remove anything."""
    print(reason, file=sys.stderr, flush=True)
    try:
        import psutil
    except ImportError:  # in an environment whose scripts have no children
        os._exit(1)
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.Error:
            continue
    os._exit(1)


def _holds() -> bool | None:
    """Whether this process has no token, or the owner file has it; None: it can't be read now."""
    if not in_a_run():
        return True
    token, path = _token()
    owner = _owner(path)
    return None if owner is None else owner.get("token") == token


def _reason() -> str:
    _, path = _token()
    owner = _owner(path)
    now = "process {pid} on host {host} does".format(**owner) if owner else "no run does"
    return (
        f"the run that started this job no longer holds {path.parent.parent}: {now}. "
        "This job stops without writing"
    )


def _token() -> tuple[str, Path]:
    token, owner = os.environ[TOKEN].split(" ", 1)
    return token, Path(owner)


def _owner(path: Path) -> dict | None:
    """Who holds the folder; empty: nobody; None: the file can't be read now."""
    try:
        os.listdir(path.parent)  # so that an NFS client asks its server whether the file exists
        return read_owner(path)
    except FileNotFoundError:
        return {}
    except OSError:
        return None


def read_owner(path: Path) -> dict:
    """Who holds the folder; empty where nobody does, or the file is being written or isn't ours."""
    try:
        owner = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return owner if isinstance(owner, dict) and OWNER_KEYS <= owner.keys() else {}
