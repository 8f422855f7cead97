"""Decode, resize and crop the photographs once per geometry, into one file with a digest."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from deltann.errors import StudyError
from deltann.images import prepared, resizers
from deltann.images.geometry import Geometry
from deltann.provenance import files


@dataclass(frozen=True)
class Photograph:
    """An encoded image: its name, true label (-1 if unknown) and bytes."""

    name: str
    label: int
    data: bytes


def pixels(data: bytes, how: Geometry, resizer: str) -> np.ndarray:
    """Decode an image and give what the model sees: its centre crop, or all of it squeezed.

    An EXIF orientation is applied. Every colour mode becomes RGB as Pillow converts it, which
    drops an alpha channel, as the ImageNet pipelines of torchvision and Keras do; 16 bits are
    scaled to 8. Decoding is Pillow's, whatever library resizes.

    Args:
        data: an encoded image (JPEG, PNG, ...).
        how: which pixels.
        resizer: name of a module in `deltann.images.resizers`.

    Returns:
        uint8 array (crop, crop, 3), RGB.

    Raises:
        OSError, ValueError, SyntaxError: the data can't be decoded (Pillow's own exceptions).
    """
    image = _rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    resize = resizers.get(resizer).resize
    if how.resize is None:
        return resize(np.asarray(image), (how.crop, how.crop), how.interpolation)
    # the long side is cut off to whole pixels and the crop's corner rounded as torchvision does
    size = tuple(int(how.resize * side / min(image.size)) for side in image.size)
    if size[0] * size[1] > Image.MAX_IMAGE_PIXELS:
        width, height = image.size
        raise ValueError(f"{width} by {height} pixels: too long and narrow for a centre crop")
    resized = resize(np.asarray(image), size, how.interpolation)
    left, top = (round((side - how.crop) / 2) for side in size)
    return np.ascontiguousarray(resized[top : top + how.crop, left : left + how.crop])


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip at 255
        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}; expected 8 or 16 bits a channel")
    return image.convert("RGB")


def prepare(photographs: Iterator[Photograph], how: Geometry, resizer: str, output: Path) -> None:
    """Prepare every photograph for the models that share a geometry, one in memory at a time.

    Args:
        photographs: encoded.
        how: which pixels.
        resizer: name of a module in `deltann.images.resizers`.
        output: the file to make, atomically: see `deltann.images.prepared`. Images that can't be
            decoded are left out, and named there with the reason.

    Raises:
        StudyError: no image is left.
    """
    excluded = []
    with files.atomic(output) as part, h5netcdf.File(part, "w") as file:
        images = prepared.Writer(file, how.crop)
        for photograph in photographs:
            try:
                array = pixels(photograph.data, how, resizer)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
                excluded.append(f"{photograph.name}: {reason}")
                print(f"left out: {excluded[-1]}", flush=True)
                continue
            images.add(photograph.name, photograph.label, array)
        if not len(images):
            raise StudyError(f"no image could be decoded: {'; '.join(excluded) or 'there is none'}")
        images.finish(excluded)
