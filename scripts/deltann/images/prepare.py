"""Decode, resize and crop the photographs once per geometry and resizer, into one file."""

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


def pixels(data: bytes, geometry: Geometry, resizer: str) -> np.ndarray:
    """Decode an image, then resize it and cut out the centre, or squeeze it whole.

    Pillow decodes, whatever library resizes. An EXIF orientation is applied. Pillow converts every
    colour mode to RGB and drops an alpha channel, as the ImageNet pipelines of torchvision and
    Keras do. 16 bits are scaled to 8.

    Args:
        data: an encoded image (JPEG, PNG, ...).
        geometry: the size before the crop, the crop's size, and the interpolation.
        resizer: name of a module in `deltann.images.resizers`.

    Returns:
        uint8 array (height, width, 3) of the crop, RGB.

    Raises:
        OSError, ValueError, SyntaxError: the data can't be decoded (Pillow's exceptions), or the
            resized image would be too large.
    """
    image = _rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    resize = resizers.get(resizer).resize
    crop_height, crop_width = geometry.crop
    if geometry.resize is None:
        return resize(np.asarray(image), (crop_width, crop_height), geometry.interpolation)
    # like torchvision: the long side is rounded down, and the corner of the crop to the nearest
    width, height = (int(geometry.resize * side / min(image.size)) for side in image.size)
    size = width, height
    if Image.MAX_IMAGE_PIXELS and width * height > Image.MAX_IMAGE_PIXELS:
        width, height = image.size
        raise ValueError(f"{width} by {height} pixels: too long and narrow for a centre crop")
    resized = resize(np.asarray(image), size, geometry.interpolation)
    left, top = round((width - crop_width) / 2), round((height - crop_height) / 2)
    return np.ascontiguousarray(resized[top : top + crop_height, left : left + crop_width])


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip at 255
        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}; expected 8 or 16 bits a channel")
    return image.convert("RGB")


def _reason(photograph: Photograph, error: Exception) -> str:
    """Why an image is left out."""
    if not photograph.data:
        return "the file is empty"
    return "not an image" if isinstance(error, UnidentifiedImageError) else str(error)


def prepare(
    photographs: Iterator[Photograph],
    geometry: Geometry,
    resizer: str,
    output: Path,
    **attributes: int,
) -> None:
    """Prepare all photographs for the models that share a geometry, one in memory at a time.

    Images that can't be decoded are left out; the file says which, and why.

    Args:
        photographs: the encoded images.
        geometry: the size before the crop, the crop's size, and the interpolation.
        resizer: name of a module in `deltann.images.resizers`.
        output: the file to write atomically: see `deltann.images.prepared`.
        attributes: what else the file says of the images.

    Raises:
        StudyError: no image could be decoded.
    """
    excluded = []
    with files.atomic(output) as part, h5netcdf.File(part, "w") as file:
        images = prepared.Writer(file, geometry.crop)
        for photograph in photographs:
            try:
                array = pixels(photograph.data, geometry, resizer)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                excluded.append(f"{photograph.name}: {_reason(photograph, error)}")
                print(f"left out: {excluded[-1]}", flush=True)
                continue
            images.add(photograph.name, photograph.label, array)
        if not len(images):
            raise StudyError(f"no image could be decoded: {'; '.join(excluded) or 'there is none'}")
        images.finish(excluded, **attributes)
