"""The other files in which an ONNX file keeps weights, found without the onnx package.

Snakemake's own environment plans with this. It reads no weights: it jumps over them. The encoding
is that of Protocol Buffers (https://protobuf.dev/programming-guides/encoding/), the fields are
those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

from deltann.errors import StudyError

# An ONNX file that holds all its weights can't be larger: Protocol Buffers' limit.
ONE_FILE_BYTES = 2**31
# By message, the fields with messages in which tensors may be.
INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"}
    | {22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
# Fields of a tensor, a value of the second, and fields of a text with its name.
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL, _KEY, _VALUE = 13, 14, 1, 1, 2
_VARINT, _EIGHT_BYTES, _DELIMITED, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10


def locations(model_file: Path) -> list[str]:
    """The locations of external data that a file's tensors name, each once, as they are written.

    Raises:
        ValueError: it is no ONNX file.
        OSError: it can't be read.
    """
    if model_file.stat().st_size == 0:
        raise ValueError("it is empty, and no ONNX file")
    with model_file.open("rb") as stream:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return sorted(set(_locations(data, range(len(data)), "model")))
            except (IndexError, RecursionError) as error:
                raise ValueError("it is damaged, or not an ONNX file") from error


def files(model_file: Path) -> list[Path]:
    """The files with an ONNX file's external data, as the onnx package would read them.

    Raises:
        StudyError: it is no ONNX file, onnx reads no such file, or all together are too large to be
            in one ONNX file.
        OSError: it can't be read.
    """
    try:
        found = [_file(model_file, location) for location in locations(model_file)]
    except ValueError as error:
        raise StudyError(str(error)) from error
    size = sum(path.stat().st_size for path in found)
    if size >= ONE_FILE_BYTES:
        raise StudyError(
            f"its weights have {size / 1e9:.1f} GB; expected less than {ONE_FILE_BYTES / 1e9:.1f}"
            " GB, as the study keeps each model in one ONNX file"
        )
    return found


def _file(model_file: Path, location: str) -> Path:
    """The file at a location: in the model's folder, and no link, as the onnx package has it."""
    path, parts = model_file.parent / location, Path(location).parts
    what = f"its weights are in {location!r}"
    if not parts or Path(location).is_absolute() or ".." in parts:
        raise StudyError(
            f"{what}; expected a file in the model's folder. Save the model again with"
            " onnx.save(model, path, save_as_external_data=True, location=...)"
        )
    if not path.is_file():
        raise StudyError(f"{what}, and {str(path)!r} doesn't exist; expected it there")
    if path.resolve() != model_file.parent.resolve().joinpath(*parts) or path.stat().st_nlink > 1:
        raise StudyError(f"{what}, which is a link; onnx reads no links: put a copy in its place")
    return path


def _locations(data: mmap.mmap, within: range, message: str) -> Iterator[str]:
    """The locations that a message of a kind in `INSIDE`, or a tensor, names."""
    if message == "tensor":
        yield from _tensor_location(data, within)
        return
    for number, value in fields(data, within):
        inside = INSIDE[message].get(number)
        if inside and isinstance(value, range):
            yield from _locations(data, value, inside)


def _tensor_location(data: mmap.mmap, within: range) -> Iterator[str]:
    """Where a tensor's values are, if they are in another file."""
    texts, external = [], False
    for number, value in fields(data, within):
        if number == _EXTERNAL_DATA and isinstance(value, range):
            texts.append(
                {
                    field: data[text.start : text.stop]
                    for field, text in fields(data, value)
                    if isinstance(text, range)
                }
            )
        elif number == _DATA_LOCATION:
            external = value == _EXTERNAL
    if external:
        for text in texts:
            if text.get(_KEY) == b"location":
                yield text.get(_VALUE, b"").decode()


def fields(data: mmap.mmap, within: range) -> Iterator[tuple[int, int | range]]:
    """The fields of a message: each one's number, and its value or where its bytes are.

    Raises:
        ValueError, IndexError: these bytes are no message.
    """
    at = within.start
    while at < within.stop:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _DELIMITED:
            size, at = _varint(data, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError("it is not an ONNX file")
        if at + size > within.stop:
            raise ValueError("it is cut off, or not an ONNX file")
        yield number, range(at, at + size)
        at += size


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    """A whole number of variable length, and where the next byte is."""
    value = 0
    for place in range(_LONGEST_VARINT):
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("it is not an ONNX file")
