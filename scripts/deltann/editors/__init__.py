"""Editors: one module per framework that changes its model files.

A module offers what `deltann.edits.EditorModule` states.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from deltann.edits import EditorModule


def names() -> list[str]:
    """The frameworks whose files can be edited."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> EditorModule:
    """The module of a known framework."""
    return cast(EditorModule, import_module(f"{__name__}.{name}"))
