"""Packages where a user's shell may put them, in front of the pinned ones."""

import sys
from pathlib import Path

# Each interpreter that finds these modules leaves a file that says what it was.
TELL = """
import os, sys
with open(os.path.join({found!r}, str(os.getpid())), "a") as file:
    file.write(repr((__name__, sys.executable, getattr(sys, "argv", None))) + "\\n")
"""
# Python itself imports the first two; numpy and Pillow are what an environment module brings.
MODULES = ("sitecustomize", "usercustomize", "numpy", "PIL", "yaml")


# In a workspace.
FOLDER = "planted"


def variables(folder: Path) -> dict[str, str]:
    """The variables of a shell that has wrong packages on PYTHONPATH and in the user's own folder.

    Args:
        folder: for the packages; `found` shows what imported them.
    """
    found = folder / "found"
    found.mkdir(parents=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    user = folder / "user/lib" / version / "site-packages"
    for place in (folder / "path", user):
        place.mkdir(parents=True)
        for name in MODULES:
            text = TELL.format(found=str(found))
            if not name.endswith("customize"):
                text += f"raise ImportError('the {name} of ' + __file__)\n"
            (place / f"{name}.py").write_text(text)
    startup = folder / "path/sitecustomize.py"
    return {
        "PYTHONPATH": str(folder / "path"),
        "PYTHONUSERBASE": str(folder / "user"),
        "PYTHONSTARTUP": str(startup),
    }


def found(folder: Path) -> list[str]:
    """What imported a planted module."""
    return [path.read_text() for path in sorted((folder / "found").iterdir())]
