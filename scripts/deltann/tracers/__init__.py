"""Tracers: one module per framework that reads and replaces the tensors of its model files.

A module offers what `deltann.steps.TracerModule` states.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from deltann.steps import TracerModule


def names() -> list[str]:
    """The frameworks whose files can be traced."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> TracerModule:
    """The module of a known framework."""
    return cast(TracerModule, import_module(f"{__name__}.{name}"))
