"""The prepared images of one geometry and resizer: a NetCDF-4 file, written and read in parts.

Variables: `pixels(image, y, x, channel)` uint8, `true_label(image)` int64, and the coordinate
`image`, the names. Attributes: `excluded`, one line per image that was left out, with the reason;
`checksum`, see `deltann.provenance.netcdf_checksum`; of calibration images also `tested`, how many
of them are the study's images too.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import h5py
import numpy as np

from deltann.errors import StudyError
from deltann.provenance import netcdf_checksum, records

# The largest number of images in memory at a time: 75 MB of 224 x 224 pixels.
PART_IMAGES = 500
KIND = "file of prepared images"
TESTED = "tested"


def parts(count: int) -> list[slice]:
    """Split `count` images into parts of about the same size, at most `PART_IMAGES` each."""
    number = -(-count // PART_IMAGES)
    return [slice(k * count // number, (k + 1) * count // number) for k in range(number)]


class Writer:
    """Writes a new file, image by image."""

    def __init__(self, file: h5netcdf.File, size: tuple[int, int]):
        height, width = size
        file.dimensions = {"image": None, "y": height, "x": width, "channel": 3}
        dimensions, one = ("image", "y", "x", "channel"), (1, height, width, 3)
        self._pixels = file.create_variable("pixels", dimensions, np.uint8, chunks=one)
        self._file = file
        self._names: list[str] = []
        self._labels: list[int] = []

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, label: int, pixels: np.ndarray) -> None:
        """Add an image.

        Args:
            name: its name.
            label: its true label, -1 if unknown.
            pixels: uint8 (height, width, 3), RGB.
        """
        self._file.resize_dimension("image", len(self) + 1)
        self._pixels[len(self)] = pixels
        self._names.append(name)
        self._labels.append(label)

    def finish(self, excluded: list[str], **attributes: int) -> None:
        """Write names, labels and the checksum, after the last image.

        Args:
            excluded: one line per image that was left out, with the reason.
            attributes: what else there is to say of the images.
        """
        names = self._file.create_variable("image", ("image",), h5py.string_dtype())
        names[:] = np.array(self._names, object)
        self._file.create_variable("true_label", ("image",), np.int64)[:] = self._labels
        self._file.attrs["excluded"] = "\n".join(excluded)
        for name, value in attributes.items():
            self._file.attrs[name] = value
        netcdf_checksum.write(self._file)


@dataclass(frozen=True)
class Prepared:
    """An open file of prepared images; the pixels are read on request.

    Attributes:
        names: the images' names.
        true_label: int64 (image,), -1 where unknown.
        excluded: one line per image that was left out, with the reason.
        checksum: the one in the file.
        tested: of calibration images, how many of them are the study's images too.
    """

    names: list[str]
    true_label: np.ndarray
    excluded: str
    checksum: str
    tested: int
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
        netcdf_checksum.check(self._path, KIND)


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
            excluded = str(file.attrs["excluded"])
            checksum = str(file.attrs[netcdf_checksum.ATTRIBUTE])
            labels, pixels = file["true_label"][:], file["pixels"]
            tested = int(file.attrs.get(TESTED, 0))
        except netcdf_checksum.UNREADABLE as error:
            raise StudyError(f"{path}: not a readable {KIND}: {records.REPAIR}: {error}") from error
        yield Prepared(names, labels, excluded, checksum, tested, path, pixels)
