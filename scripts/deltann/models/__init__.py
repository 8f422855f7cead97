"""Model families: one module each, with the models' preprocessing and how to export them.

A family has MODELS (name, then source framework, to its preprocessing), ENVIRONMENTS (source to
the environment that exports it), missing() and export(). Importing it imports no framework.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING

from deltann.images.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np

PRETRAINED, SEEDED = "pretrained", "seeded"
# Seeded weights are fitted to so many images: enough, and ResNet101 takes 0.4 GB for each.
FITTED = 16


@dataclass(frozen=True)
class Request:
    """What is to be exported.

    Attributes:
        model: a name that the family knows.
        source: the framework.
        weights: `pretrained`, `seeded`, or the path of a file.
        preprocessing: that of the model and source.
        images: uint8 (image, crop, crop, 3) RGB that seeded weights are fitted to, `FITTED` at
            most; None for others.
        user_model: the entry of a model that the config describes; None for a family's.
    """

    model: str
    source: str
    weights: str
    preprocessing: Preprocessing
    images: "np.ndarray | None"
    user_model: dict | None


@dataclass(frozen=True)
class MissingFile:
    """A file of weights that is in no cache: where it comes from, and where it would be looked for.

    `by_hand`: no loader fetches it, since nobody published its digest.
    """

    what: str
    url: str
    location: str
    by_hand: bool


@cache
def families() -> dict[str, str]:
    """Every known model's name, with the name of the module in this package that has it."""
    found = {}
    for module in sorted(item.name for item in iter_modules(__path__)):
        for name in getattr(import_module(f"{__name__}.{module}"), "MODELS", ()):
            found[name] = module
    return found


def family(model: str) -> ModuleType:
    """The module of a known model; importing it imports no foreign package."""
    return import_module(f"{__name__}.{families()[model]}")
