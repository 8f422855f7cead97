"""Small pictures of the prepared images."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deltann.errors import StudyError
from deltann.images import prepared

# About 2 KB each, so that 5,500 of them fit on a page.
SIDE, QUALITY = 96, 40
TYPE = "image/webp"


@contextmanager
def drawing(paths: list[Path]) -> Iterator[Callable[[str], str]]:
    """Open the prepared images, and yield a function that gives an image's thumbnail by its name.

    The thumbnail is a WebP file of `SIDE` by `SIDE` pixels in base64, from the first file that has
    the image.

    Args:
        paths: prepared images, as `deltann.images.prepared` writes them.

    Raises:
        StudyError: a file is damaged; or, from the function, no file has the image.
    """
    with ExitStack() as stack:
        rows: dict[str, tuple[prepared.Prepared, int]] = {}
        for path in paths:
            images = stack.enter_context(prepared.open_file(path))
            images.check()
            for row, name in enumerate(images.names):
                rows.setdefault(name, (images, row))

        def draw(name: str) -> str:
            if name not in rows:
                raise StudyError(
                    f"image {name!r} of the study is in none of {', '.join(map(str, paths))}"
                )
            images, row = rows[name]
            return encode(images.pixels(slice(row, row + 1))[0])

        yield draw


def encode(pixels: np.ndarray) -> str:
    """A thumbnail in base64 of uint8 pixels (y, x, channel), RGB: whole, on a black square."""
    buffer = io.BytesIO()
    small = ImageOps.pad(Image.fromarray(pixels), (SIDE, SIDE), Image.Resampling.LANCZOS)
    small.save(buffer, "WEBP", quality=QUALITY)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
