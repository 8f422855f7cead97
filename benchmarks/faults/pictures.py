"""Photographs cut and resized for the planted models, rightly or with a fault."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

HEIGHT, WIDTH = 64, 96
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Faults of preprocessing: what is done otherwise to the same photographs.
RIGHT, NO_ANTIALIAS, SHIFTED = "right", "no_antialias", "shifted"
PLACES = ((16, 60, 480, 320), (64, 8, 384, 256))  # left, top, width, height


def images(wheel: Path, how: str = RIGHT) -> "np.ndarray":
    """Two cuts of each photograph in a wheel.

    Args:
        wheel: of the package `foolbox`, with photographs of 512 by 512.
        how: `right`, or a fault of preprocessing.

    Returns:
        float32 (image, 3, HEIGHT, WIDTH), normalised.
    """
    import numpy as np

    made = []
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if "/data/imagenet_" in name)
        for place in PLACES:
            made += [_cut(archive.read(name), place, how) for name in names]
    values = np.stack(made).astype(np.float32) / 255
    values = (values - np.float32(MEAN)) / np.float32(DEVIATION)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _cut(content: bytes, place: tuple[int, int, int, int], how: str) -> "np.ndarray":
    """One part of a photograph, uint8 (HEIGHT, WIDTH, 3)."""
    import numpy as np
    from PIL import Image

    left, top, width, height = place
    offset = 8 if how == SHIFTED else 0
    box = (left + offset, top + offset, left + offset + width, top + offset + height)
    photograph = Image.open(io.BytesIO(content)).convert("RGB").crop(box)
    if how == NO_ANTIALIAS:  # as `torch.nn.functional.interpolate` without `antialias`
        y = ((np.arange(HEIGHT) + 0.5) * height / HEIGHT - 0.5).round().astype(int)
        x = ((np.arange(WIDTH) + 0.5) * width / WIDTH - 0.5).round().astype(int)
        return np.asarray(photograph)[y[:, None], x[None]]
    return np.asarray(photograph.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
