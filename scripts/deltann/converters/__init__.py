"""Converters: one module per edge, with its SOURCE, TARGET, ENVIRONMENT and convert()."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def names() -> list[str]:
    """Every converter's name."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> ModuleType:
    """The module of a known converter; importing it imports no foreign package."""
    return import_module(f"{__name__}.{name}")
