"""Model families: one module each, with the models' preprocessing and how to export them."""

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its images: the short side's length, the square crop, the affine map.

    `mean` and `std` are per RGB channel, for pixel values scaled to 0..1; `interpolation` is a
    name in `PIL.Image.Resampling`, in lower case; `classes` is the number of logits.
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    classes: int


def families() -> dict[str, str]:
    """Every known model's name, with the name of the module in this package that has it."""
    found = {}
    for module in sorted(item.name for item in iter_modules(__path__)):
        for name in import_module(f"{__name__}.{module}").MODELS:
            found[name] = module
    return found


def family(model: str) -> ModuleType:
    """The module of a known model; importing it imports no foreign package."""
    return import_module(f"{__name__}.{families()[model]}")


def preprocessing(model: str) -> Preprocessing:
    """The preprocessing of a known model."""
    return family(model).MODELS[model]
