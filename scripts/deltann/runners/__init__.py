"""Runners: one module per runtime, with its ENVIRONMENT, the SUFFIX of its files, and Runner.

A framework's also has its SETTINGS: what a config may set, and to what; the first is the default.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

COMPILER = "tvm"


def frameworks() -> list[str]:
    """Every framework's name: each runner but the compiler's."""
    return sorted(item.name for item in iter_modules(__path__) if item.name != COMPILER)


def get(name: str) -> ModuleType:
    """The module of a known runner; importing it imports no foreign package."""
    return import_module(f"{__name__}.{name}")
