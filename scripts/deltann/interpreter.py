"""How every Python of ours is started: with its environment's packages, and nobody else's.

`PYTHONPATH`, which environment modules set, `PYTHONHOME`, and the packages in a user's own folder
would take the place of pinned packages. No other module names an interpreter.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PYTHON = Path(sys.executable)
# For a script: no packages of the user's, no variables. The script's folder stays importable.
FLAGS = ("-s", "-E")
SCRIPTS = str(Path(__file__).resolve().parents[1])
# Python says with it how long imports take, which benchmarks/overhead reads.
HARMLESS = {"PYTHONPROFILEIMPORTTIME"}


def of_environment(folder: str) -> list[str]:
    """The start of a command that runs a script by the Python of an environment."""
    return [f"{folder}/bin/python", *FLAGS]


def tool(name: str, *arguments: str) -> list[str]:
    """A command that runs a program of this environment's packages: `python -m name`."""
    return [str(PYTHON), "-I", "-m", name, *arguments]


def isolated(script: str) -> list[str]:
    """A command that runs a script of the user's by the Python of this environment."""
    return [str(PYTHON), "-I", script]


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process, without those by which Python finds other packages.

    Foreign tools start Pythons of their own, which nothing but these variables reaches.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if not name.startswith("PYTHON") or name in HARMLESS
    }
    return kept | {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1"}


def clean_this_process() -> None:
    """`clean` the variables of this process, which all that it starts inherits."""
    variables = clean(os.environ)
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def with_package(variables: Mapping[str, str]) -> dict[str, str]:
    """As `clean`; and `deltann` can be imported, also by what a foreign tool starts."""
    return clean(variables) | {"PYTHONPATH": SCRIPTS}
