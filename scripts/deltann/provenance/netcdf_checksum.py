"""The checksum that a NetCDF file carries of its content: names, shapes, attributes and values.

It doesn't cover the file's bytes, as HDF5 may lay out the same content in different ways. See
`deltann.provenance.records` for the files that have one.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import h5netcdf
import numpy as np

from deltann.errors import StudyError
from deltann.provenance import files, records

ATTRIBUTE = "checksum"
# Bytes of a variable that are in memory at a time.
BLOCK_BYTES = 1 << 24
# What HDF5 and the layers above it raise on damaged bytes.
UNREADABLE: tuple[type[Exception], ...] = (OSError, ValueError, LookupError, RuntimeError)
UNREADABLE += (TypeError, AttributeError, OverflowError)


def write(file: h5netcdf.File) -> None:
    """Add the checksum to an open file that is otherwise complete."""
    file.attrs[ATTRIBUTE] = compute(file)


def check(path: Path, what: str) -> str:
    """Make sure that a file's content has the checksum that the file carries.

    Args:
        path: the file.
        what: it should be, for messages.

    Returns:
        The checksum.

    Raises:
        StudyError: the file is truncated, of another kind, or its content was changed.
    """
    try:
        with h5netcdf.File(path, "r") as file:
            expected, actual = str(file.attrs[ATTRIBUTE]), compute(file)
    except UNREADABLE as error:
        raise StudyError(f"{path}: not a readable {what}: {records.REPAIR}: {error}") from error
    if actual != expected:
        raise StudyError(f"{path}: checksum mismatch: {records.REPAIR}")
    return actual


def compute(file: h5netcdf.File) -> str:
    """SHA-256 over all variables, read block by block, and all attributes but the checksum."""
    attributes = {name: value for name, value in file.attrs.items() if name != ATTRIBUTE}
    variables = {name: _variable(variable) for name, variable in file.variables.items()}
    return files.checksum_json([_plain(attributes), variables])


def _variable(variable: h5netcdf.Variable) -> list:
    """Dimensions, type, shape, attributes, and the values' SHA-256 in C order."""
    value, kind = hashlib.sha256(), np.dtype(variable.dtype)
    for block in _blocks(variable, kind.itemsize):
        if kind.kind == "O":
            value.update(b"".join(b"%d:%b" % (len(text), text) for text in map(_bytes, block.flat)))
        else:
            value.update(np.ascontiguousarray(block).data)
    shape = [int(side) for side in variable.shape]
    return [list(variable.dimensions), kind.str, shape, _plain(variable.attrs), value.hexdigest()]


def _blocks(variable: h5netcdf.Variable, item_bytes: int) -> Iterator[np.ndarray]:
    if not variable.shape:
        yield np.asarray(variable[...])
        return
    count, *row = variable.shape
    rows = max(1, BLOCK_BYTES // max(1, item_bytes * int(np.prod(row))))
    for start in range(0, count, rows):
        yield np.asarray(variable[start : start + rows])


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _plain(attributes: dict) -> dict:
    """Attributes as JSON has them."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in attributes.items()
    }
