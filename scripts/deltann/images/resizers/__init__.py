"""Resizers: one module per library, with its ENVIRONMENT and resize()."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

DEFAULT = "pillow"


def names() -> list[str]:
    """Every resizer's name."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> ModuleType:
    """The module of a known resizer; importing it imports no foreign package."""
    return import_module(f"{__name__}.{name}")
