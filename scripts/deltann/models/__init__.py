"""Model families: one module or package each, with its models' preprocessing and their export.

A family offers what `Family` states. Importing it imports no framework. `user_model` is the family
of the models that a config describes; it has no names of its own.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from deltann.images.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np

PRETRAINED, SEEDED = "pretrained", "seeded"
# How many images seeded weights are fitted to. ResNet101 needs 0.4 GB for each.
FITTED = 16


@dataclass(frozen=True)
class Request:
    """An order to export a model.

    Attributes:
        model: its name.
        source: the framework.
        weights: `pretrained`, `seeded`, or the path of a file.
        preprocessing: that of the model and source.
        images: uint8 (image, height, width, 3) RGB that seeded weights are fitted to, `FITTED` at
            most; None for others.
        user_model: the entry of a model that the config describes; None for a family's.
    """

    model: str
    source: str
    weights: str
    preprocessing: Preprocessing
    images: "np.ndarray | None"
    user_model: dict | None

    def fitting_images(self) -> "np.ndarray":
        """The images that seeded weights are fitted to.

        Raises:
            ValueError: there are none.
        """
        if self.images is None:
            raise ValueError(f"{self.model} from {self.source} has no images to fit its weights to")
        return self.images


@dataclass(frozen=True)
class MissingFile:
    """A file of published weights that is in no cache.

    Attributes:
        what: the model and its source, for messages.
        url: where it is published.
        location: the path where it is looked for.
        by_hand: whether the user must download it: its SHA-256 isn't published.
    """

    what: str
    url: str
    location: str
    by_hand: bool


class Family(Protocol):
    """A module of this package.

    Attributes:
        MODELS: by model, the preprocessing of each source framework.
        ENVIRONMENTS: by source, the environment that exports the model.
        CLASS_NAMES: one of `deltann.images.class_names.PUBLISHED`, or empty: no published names.
    """

    MODELS: dict[str, dict[str, Preprocessing]]
    ENVIRONMENTS: dict[str, str]
    CLASS_NAMES: str

    def missing(self, model: str, source: str) -> list[MissingFile]:
        """The files of published weights that a model needs and no cache holds."""
        ...

    def export(self, request: Request, output: Path) -> dict:
        """Write a model to a native file of its source framework, always the same bytes.

        The file takes one float32 image, normalised, and returns (1, outputs) float32 logits.

        Returns:
            What the record should say of the model, as `weights`.

        Raises:
            StudyError: weights that the family doesn't have.
            ValueError: the model isn't what the config declares.
        """
        ...


@cache
def families() -> dict[str, str]:
    """Every known model's name, with the name of its family's module in this package."""
    modules = sorted(item.name for item in iter_modules(__path__))
    return {name: module for module in modules for name in _module(module).MODELS}


def family(model: str) -> Family:
    """The family of a known model."""
    return _module(families()[model])


def _module(name: str) -> Family:
    return cast(Family, import_module(f"{__name__}.{name}"))
