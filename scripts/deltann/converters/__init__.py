"""Converters: one module per edge from one framework to another.

A module offers what `Converter` states. Importing it imports no foreign package.
"""

import inspect
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol, cast

# The parameter by which a converter takes calibration images.
CALIBRATION = "calibration"


class Converter(Protocol):
    """A module of this package.

    Attributes:
        SOURCE: the framework whose model files it reads.
        TARGET: the framework whose model files it writes.
        ENVIRONMENT: the environment that it runs in.
    """

    SOURCE: str
    TARGET: str
    ENVIRONMENT: str

    def check(self, **settings: Any) -> None:
        """Check settings of `convert` before any work; `accept` where there is nothing to check.

        Raises:
            ValueError: a value, or a combination, that the converter can't take.
        """
        ...

    def convert(self, model_file: Path, output: Path, **settings: Any) -> None:
        """Convert a model file.

        Args:
            model_file: of SOURCE; takes one float32 image and returns logits.
            output: the file of TARGET to write: the same model, the same bytes each time.
            settings: keyword parameters with defaults; a config's `edges` may set them. One that
                calibrates also takes `calibration`, a `deltann.images.calibration.Calibration`.

        Raises:
            Exception: the foreign tool's own; the study records it as a failed conversion.
        """
        ...


def accept(**settings: Any) -> None:
    """Accept all settings."""


def calibrates(name: str) -> bool:
    """Whether a known converter runs the model on calibration images."""
    return CALIBRATION in inspect.signature(get(name).convert).parameters


def settings(name: str) -> dict[str, inspect.Parameter]:
    """The settings of a known converter: the parameters of `convert` that a config may set."""
    parameters = dict(list(inspect.signature(get(name).convert).parameters.items())[2:])
    parameters.pop(CALIBRATION, None)
    return parameters


def names() -> list[str]:
    """Every converter's name."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> Converter:
    """The module of a known converter."""
    return cast(Converter, import_module(f"{__name__}.{name}"))
