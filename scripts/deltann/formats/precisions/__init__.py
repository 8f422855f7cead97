"""What a model file computes in: one module per framework, found by the framework's name.

A module offers `operators`, as `Reader` states it. Importing it imports no foreign package. A
framework without a module has files of unknown precision.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol, cast


class Reader(Protocol):
    """A module of this package."""

    def operators(self, model_file: Path) -> dict[str, int]:
        """How many convolutions and matrix products of a model file compute in each precision.

        It is called in the environments of the framework's converters and exports too, so it needs
        no package but the format's.

        Args:
            model_file: with a name that may end otherwise than the framework's files do.

        Returns:
            Their number by their precision, of `deltann.precision`.
        """
        ...


def modules(framework: str) -> list[str]:
    """The dotted name of a framework's module, if it has one."""
    names = [item.name for item in iter_modules(__path__)]
    return [f"{__name__}.{framework}"] if framework in names else []


def operators(framework: str, model_file: Path) -> dict[str, int]:
    """See `Reader`; nothing for a framework without a module."""
    for name in modules(framework):
        return cast(Reader, import_module(name)).operators(model_file)
    return {}
