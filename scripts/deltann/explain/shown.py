"""What the script of an example shows, run in the environment that it is for."""

import math
import re
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deltann import runners
from deltann.execution.isolation import Limits
from deltann.execution.session import Session, ToolFailed
from deltann.explain import example, snippets
from deltann.explain.suspects import Suspect
from deltann.localise import remote
from deltann.tolerance import TOLERANCE

MODULE = example.__name__
SCRIPT, STORE = "reproduce.py", "store.py"
FAR = re.compile(rf"{snippets.FAR} (\S+) of (\S+)")


@dataclass(frozen=True)
class Shown:
    """What a script shows.

    Attributes:
        differs: whether the answers before and after differ beyond rounding.
        why: why they don't.
        text: what the script prints of the answers, for the README.
    """

    differs: bool
    why: str = ""
    text: str = ""


def look(folder: Path, found: Suspect, limits: Limits) -> Shown:
    """Run the script in a copy of its folder."""
    try:
        done = _run(folder, SCRIPT, found.environment, limits)
    except ToolFailed as error:
        return Shown(False, str(error))
    if done["status"]:
        return Shown(False, f"it fails ({_failure(done)})")
    printed = done["output"][done["output"].rindex("before:") :].strip()
    text = f"\nRun with the versions of {snippets.PINS}, it printed:\n\n"
    text += f"```\n{printed}\n```\n"
    far = FAR.search(printed)
    if far is None:
        return Shown(True, text=text)  # the answers have other shapes
    share = float(far[1]) / max(float(far[2]), 1e-30)
    differs = not math.isfinite(share) or share > TOLERANCE
    return Shown(differs, "" if differs else "both answers are the same up to rounding", text)


def _failure(done: dict) -> str:
    """Why a script ended: a signal's name, or the last line that it wrote."""
    status = done["status"]
    if status < 0:
        return signal.Signals(-status).name
    return (done["errors"].strip().splitlines() or [f"exit status {status}"])[-1]


def store(folder: Path, framework: str, limits: Limits) -> None:
    """Write what the source answers, by its own runtime.

    Raises:
        ToolFailed: the runtime can't run the model.
    """
    environment = runners.get(framework).ENVIRONMENT
    (folder / STORE).write_text(snippets.storing(framework), encoding="utf-8")
    try:
        done = _run(folder, STORE, environment, limits, keep=True)
    finally:
        (folder / STORE).unlink()
    if done["status"]:
        raise ToolFailed("Runtime", done["errors"].strip()[-300:])


def _run(folder: Path, script: str, environment: str, limits: Limits, keep: bool = False) -> dict:
    """Run a script; what it writes is kept only if that is wanted."""
    with (
        tempfile.TemporaryDirectory(prefix="deltann-") as scratch,
        Session(remote.python(environment), MODULE, {}, limits) as session,
    ):
        where = folder if keep else shutil.copytree(folder, Path(scratch, "example"))
        return session.call("run", folder=str(where.resolve()), script=script)
