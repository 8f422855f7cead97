"""Decode, resize and crop the photographs once per model, into one uint8 array with a digest."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from PIL import Image, ImageOps, UnidentifiedImageError

from deltann import files
from deltann.errors import StudyError
from deltann.folder import UNKNOWN_LABEL, list_images, read_labels
from deltann.models import Preprocessing

# foolbox names its photographs imagenet_<number>_<0-based ILSVRC class>.jpg
PACKAGED = re.compile(r"foolbox/data/imagenet_\d+_(?P<label>\d+)\.jpg")


@dataclass(frozen=True)
class Photograph:
    """An encoded image: its name, true label (`UNKNOWN_LABEL` if unknown) and bytes."""

    name: str
    label: int
    data: bytes


def from_wheel(path: Path) -> Iterator[Photograph]:
    """The labelled photographs inside the foolbox package's wheel, by name.

    Raises:
        StudyError: the file isn't a zip archive, or holds none.
    """
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise StudyError(f"{path}: not a wheel: {error}") from error
    with archive:
        matches = filter(None, (PACKAGED.fullmatch(name) for name in archive.namelist()))
        found = sorted(matches, key=lambda match: match[0])
        if not found:
            raise StudyError(f"{path}: no photograph named like {PACKAGED.pattern}")
        for match in found:
            yield Photograph(Path(match[0]).name, int(match["label"]), archive.read(match[0]))


def from_folder(path: Path) -> Iterator[Photograph]:
    """The images of a folder, by name, with the labels in its `labels.csv` if it has one."""
    names = list_images(path)
    labels = read_labels(path, names)
    for name in names:
        yield Photograph(name, labels.get(name, UNKNOWN_LABEL), (path / name).read_bytes())


def pixels(data: bytes, how: Preprocessing) -> np.ndarray:
    """Decode an image and give the model's centre crop.

    An EXIF orientation is applied. Every colour mode becomes RGB as Pillow converts it, which
    drops an alpha channel, as the ImageNet pipelines of torchvision and Keras do; 16 bits are
    scaled to 8.

    Args:
        data: an encoded image (JPEG, PNG, ...).
        how: short side, crop and interpolation.

    Returns:
        uint8 array (crop, crop, 3).

    Raises:
        OSError, ValueError, SyntaxError: the data can't be decoded (Pillow's own exceptions).
    """
    image = _rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    scale = how.resize / min(image.size)
    size = tuple(max(how.resize, round(side * scale)) for side in image.size)
    if size[0] * size[1] > Image.MAX_IMAGE_PIXELS:
        width, height = image.size
        raise ValueError(f"{width} by {height} pixels: too long and narrow for a centre crop")
    image = image.resize(size, Image.Resampling[how.interpolation.upper()])
    left, top = ((side - how.crop) // 2 for side in image.size)
    return np.asarray(image.crop((left, top, left + how.crop, top + how.crop)), np.uint8)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip at 255
        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode}; expected 8 or 16 bits a channel")
    return image.convert("RGB")


def prepare(photographs: Iterator[Photograph], how: Preprocessing) -> xr.Dataset:
    """Prepare every photograph for one model.

    Returns:
        A dataset with `pixels(image, y, x, channel)` uint8 and `true_label(image)` int64 over
        the coordinate `image` (names). Images that can't be decoded are left out and named,
        with the reason, in the attribute `excluded` (lines of text).

    Raises:
        StudyError: no image is left.
    """
    arrays, names, labels, excluded = [], [], [], []
    for photograph in photographs:
        try:
            array = pixels(photograph.data, how)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
            excluded.append(f"{photograph.name}: {reason}")
            print(f"left out: {excluded[-1]}", flush=True)
            continue
        arrays.append(array)
        names.append(photograph.name)
        labels.append(photograph.label)
    if not arrays:
        raise StudyError(f"no image could be decoded: {'; '.join(excluded) or 'there is none'}")
    wrong = [
        f"{name}: {label}"
        for name, label in zip(names, labels, strict=True)
        if label >= how.classes
    ]
    if wrong:
        raise StudyError(f"labels outside the model's classes, 0 to {how.classes - 1}: {wrong[:5]}")
    data = np.stack(arrays)
    return xr.Dataset(
        {
            "pixels": (("image", "y", "x", "channel"), data),
            "true_label": ("image", np.array(labels, np.int64)),
        },
        coords={"image": np.array(names, dtype=object)},
        attrs={
            "digest": files.digest([names, labels, files.sha256_bytes(data.tobytes())]),
            "excluded": "\n".join(excluded),
        },
    )
