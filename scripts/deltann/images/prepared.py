"""The prepared images of one geometry and resizer: a NetCDF-4 file, written and read in parts.

Variables: `pixels(image, y, x, channel)` uint8, `true_label(image)` int64, and the coordinate
`image`, the names. Attributes: `digest`, a checksum of names, labels, pixels and `excluded`;
`excluded`, one line per image that was left out, with the reason.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import h5py
import numpy as np

from deltann.errors import StudyError
from deltann.provenance import files, netcdf_digest, records

# The largest number of images in memory at a time: 75 MB of 224 x 224 pixels.
PART_IMAGES = 500


def parts(count: int) -> list[slice]:
    """Split `count` images into parts of about the same size, at most `PART_IMAGES` each."""
    number = -(-count // PART_IMAGES)
    return [slice(k * count // number, (k + 1) * count // number) for k in range(number)]


class Writer:
    """Writes a new file, image by image."""

    def __init__(self, file: h5netcdf.File, side: int):
        file.dimensions = {"image": None, "y": side, "x": side, "channel": 3}
        dimensions, one = ("image", "y", "x", "channel"), (1, side, side, 3)
        self._pixels = file.create_variable("pixels", dimensions, np.uint8, chunks=one)
        self._file, self._names, self._labels = file, [], []
        self._sha256 = hashlib.sha256()

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, label: int, pixels: np.ndarray) -> None:
        """Add an image.

        Args:
            name: its name.
            label: its true label, -1 if unknown.
            pixels: uint8 (side, side, 3), RGB.
        """
        self._file.resize_dimension("image", len(self) + 1)
        self._pixels[len(self)] = pixels
        self._sha256.update(pixels.tobytes())
        self._names.append(name)
        self._labels.append(label)

    def finish(self, excluded: list[str]) -> None:
        """Write names, labels and the digest, after the last image.

        Args:
            excluded: one line per image that was left out, with the reason.
        """
        names = self._file.create_variable("image", ("image",), h5py.string_dtype())
        names[:] = np.array(self._names, object)
        self._file.create_variable("true_label", ("image",), np.int64)[:] = self._labels
        lines = "\n".join(excluded)
        digest = _digest(self._names, self._labels, self._sha256.hexdigest(), lines)
        self._file.attrs["digest"], self._file.attrs["excluded"] = digest, lines


def _digest(names: list[str], labels: list[int], pixels: str, excluded: str) -> str:
    return files.digest([names, labels, pixels, excluded])


@dataclass(frozen=True)
class Prepared:
    """An open file of prepared images; the pixels are read on request.

    Attributes:
        names: the images' names.
        true_label: int64 (image,), -1 where unknown.
        excluded: one line per image that was left out, with the reason.
        digest: the checksum in the file.
    """

    names: list[str]
    true_label: np.ndarray
    excluded: str
    digest: str
    _path: Path
    _pixels: h5netcdf.Variable

    def __len__(self) -> int:
        return len(self.names)

    def pixels(self, part: slice) -> np.ndarray:
        """Read a part of the images: uint8 (image, y, x, channel), RGB."""
        return self._pixels[part]

    def check(self) -> None:
        """Compare the content with the checksum in the file.

        Raises:
            StudyError: it differs, or can't be read.
        """
        value = hashlib.sha256()
        try:
            for part in parts(len(self)):
                value.update(np.ascontiguousarray(self.pixels(part)))
        except netcdf_digest.UNREADABLE as error:
            raise StudyError(f"{self._path}: not readable: {records.REPAIR}: {error}") from error
        labels = self.true_label.tolist()
        if _digest(self.names, labels, value.hexdigest(), self.excluded) != self.digest:
            raise StudyError(f"{self._path}: checksum mismatch: {records.REPAIR}")


@contextmanager
def open_file(path: Path) -> Iterator[Prepared]:
    """Open a file of prepared images for reading.

    Raises:
        StudyError: it isn't such a file.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(h5netcdf.File(path, "r"))
            names = [name.decode() if isinstance(name, bytes) else name for name in file["image"]]
            excluded, digest = (str(file.attrs[name]) for name in ("excluded", "digest"))
            labels, pixels = file["true_label"][:], file["pixels"]
        except netcdf_digest.UNREADABLE as error:
            raise StudyError(
                f"{path}: not a readable file of prepared images: {records.REPAIR}: {error}"
            ) from error
        yield Prepared(names, labels, excluded, digest, path, pixels)
