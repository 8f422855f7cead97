"""Resizers: one module per library that resizes images; `Resizer` is what each must offer."""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import numpy as np

DEFAULT = "pillow"


class Resizer(Protocol):
    """A module in this folder. Importing it imports no library: only `resize` does.

    Attributes:
        ENVIRONMENT: the environment that has the library, a file name in `envs/` without `.txt`.
    """

    ENVIRONMENT: str

    def resize(
        self, pixels: "np.ndarray", size: tuple[int, int], interpolation: str
    ) -> "np.ndarray":
        """Resize an image.

        Args:
            pixels: uint8 (height, width, 3), RGB. It may be read-only.
            size: width and height of the result, in pixels.
            interpolation: one of `deltann.images.geometry.INTERPOLATIONS`.

        Returns:
            uint8 (height, width, 3), RGB.
        """
        ...


def names() -> list[str]:
    """The names of all resizers."""
    return sorted(item.name for item in iter_modules(__path__))


def get(name: str) -> Resizer:
    """The resizer of a name."""
    return cast(Resizer, import_module(f"{__name__}.{name}"))
