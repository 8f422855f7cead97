"""The environments of the sessions that an explanation starts, checked as jobs check theirs."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deltann import interpreter
from deltann.errors import StudyError
from deltann.localise import remote

PROGRAM = """
import sys
from pathlib import Path
from deltann.errors import StudyError
from deltann.execution import environment
try:
    print(environment.check(Path(sys.argv[1])))
except StudyError as error:
    sys.exit(str(error))
"""


def check(manifests: Iterable[Path]) -> dict[str, str]:
    """Make sure that environments are what their manifests say.

    Args:
        manifests: one for each environment, with its name.

    Returns:
        The digest of each environment, by its name.

    Raises:
        StudyError: one of them isn't, or can't be started.
    """
    return {path.stem: _digest(path) for path in manifests}


def _digest(manifest: Path) -> str:
    python = remote.python(manifest.stem)[0]
    try:
        done = subprocess.run(
            [python, "-c", PROGRAM, str(manifest)],
            env=interpreter.with_package(os.environ),
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise StudyError(f"{python} of environment {manifest.stem}: {error}") from error
    if done.returncode:
        raise StudyError(done.stderr.strip() or f"{python} can't be started")
    return done.stdout.strip()
