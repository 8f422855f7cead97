"""Files in parts that are copied one by one, checked, and put together again.

The files of one model share most of their bytes: its weights. So each file is cut where its content
says, and a piece that occurs again is stored once. This module is copied too: it needs NumPy only.
"""

import argparse
import hashlib
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

MANIFEST = "manifest.json"
PART_BYTES = 60_000_000
# A piece ends after a window of bytes whose hash ends in zeros: every 32 KB on average, so that a
# weight that moved is found again.
WINDOW, SHORTEST, LONGEST, BLOCK = 48, 8192, 1 << 20, 1 << 24
ENDS = np.uint64(64 - 15)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Damaged(Exception):
    """A part is missing or isn't what was written; the message says which, and what to do."""


def cut(content: bytes) -> list[bytes]:
    """The pieces of a file, in order."""
    ends = [0]
    for end in (*_ends(content), len(content)):
        while end - ends[-1] > LONGEST:
            ends.append(ends[-1] + LONGEST)
        if end - ends[-1] >= SHORTEST or end == len(content):
            ends.append(end)
    return [content[start:end] for start, end in zip(ends, ends[1:], strict=False)]


def _ends(content: bytes) -> Iterator[int]:
    """Where the bytes before say that a piece may end."""
    table = np.random.default_rng(0).integers(0, 1 << 64, 256, dtype=np.uint64)
    data = np.frombuffer(content, np.uint8)
    for start in range(0, len(data), BLOCK):  # the sums take eight bytes each
        first = max(0, start - WINDOW)
        sums = np.cumsum(table[data[first : start + BLOCK]], dtype=np.uint64)
        windows = (sums[WINDOW:] - sums[:-WINDOW]) * MULTIPLIER
        yield from (np.flatnonzero(windows >> ENDS == 0) + first + WINDOW).tolist()


class _Writer:
    """Writes pieces one behind the other, each once.

    Attributes:
        pieces: of each piece its part, the first byte there and the number of bytes.
        parts: name and checksum of each finished part.
    """

    def __init__(self, folder: Path, part_bytes: int):
        self.folder, self.part_bytes = folder, part_bytes
        self.pieces: list[tuple[int, int, int]] = []
        self.parts: list[dict] = []
        self._known: dict[str, int] = {}
        self._part = bytearray()

    def add(self, piece: bytes) -> int:
        """The number of a piece, which is written if it is new."""
        digest = _checksum(piece)
        if digest not in self._known:
            packed = zlib.compress(piece)
            if self._part and len(self._part) + len(packed) > self.part_bytes:
                self.close()
            self._known[digest] = len(self.pieces)
            self.pieces.append((len(self.parts), len(self._part), len(packed)))
            self._part += packed
        return self._known[digest]

    def close(self) -> None:
        """Write the part at hand, and begin another."""
        name = f"part-{len(self.parts):03}"
        (self.folder / name).write_bytes(self._part)
        self.parts.append({"name": name, "sha256": _checksum(self._part)})
        self._part = bytearray()


def write(folder: Path, files: Mapping[str, Path], part_bytes: int = PART_BYTES) -> None:
    """Write parts and a manifest.

    Args:
        folder: where to; it exists.
        files: by the name in the bundle, in the order of the parts.
        part_bytes: the size of a part, at most. A larger piece has a part of its own.
    """
    writer, described = _Writer(folder, part_bytes), {}
    known: dict[str, list[int]] = {}  # many files occur again whole
    for name, path in files.items():
        content = path.read_bytes()
        digest = _checksum(content)
        if digest not in known:
            known[digest] = [writer.add(piece) for piece in cut(content)]
        described[name] = {"sha256": digest, "pieces": known[digest]}
    writer.close()
    manifest = {"parts": writer.parts, "pieces": writer.pieces, "files": described}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def read(folder: Path) -> dict:
    """The manifest of a bundle.

    Raises:
        Damaged: there is none.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise Damaged(f"{path} is missing; expected a bundle of prepare.py: copy the file here")
    return json.loads(path.read_text(encoding="utf-8"))


def missing_parts(folder: Path, manifest: dict, names: Iterable[str]) -> list[str]:
    """The names of the parts that some files need and that weren't copied."""
    used = {
        manifest["pieces"][number][0]
        for name in names
        for number in manifest["files"][name]["pieces"]
    }
    parts = [manifest["parts"][number]["name"] for number in sorted(used)]
    return [name for name in parts if not (folder / name).is_file()]


def unpack(folder: Path, manifest: dict, names: Iterable[str], output: Path) -> None:
    """Put files together below `output`. One that is there and right stays.

    Raises:
        Damaged: a part is missing or was changed on the way.
    """
    contents: dict[int, bytes] = {}
    for name in names:
        described, path = manifest["files"][name], output / name
        if path.is_file() and _checksum(path.read_bytes()) == described["sha256"]:
            continue
        parts = []
        for number in described["pieces"]:
            part, start, size = manifest["pieces"][number]
            if part not in contents:
                contents[part] = _read_part(folder, manifest["parts"][part])
            parts.append(zlib.decompress(contents[part][start : start + size]))
        content = b"".join(parts)
        if _checksum(content) != described["sha256"]:
            raise Damaged(f"{name}: checksum mismatch; run prepare.py again, and copy all files")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read_part(folder: Path, described: dict) -> bytes:
    path = folder / described["name"]
    if not path.is_file():
        raise Damaged(f"{path} is missing; copy it here")
    content = path.read_bytes()
    if _checksum(content) != described["sha256"]:
        raise Damaged(f"{path}: checksum mismatch, {len(content)} bytes; copy it here again")
    return content


def _checksum(content: bytes | bytearray) -> str:
    return hashlib.sha256(content).hexdigest()


def main(options: argparse.Namespace) -> None:
    """Unpack what this Python and the mode need; a model without all its parts is left out.

    Raises:
        Damaged: see `unpack`; or the bundle has no packages for this Python.
    """
    manifest = read(options.bundle)
    python = f"site/{sys.version_info.major}.{sys.version_info.minor}/"
    if not any(name.startswith(python) for name in manifest["files"]):
        has = sorted({name.split("/")[1] for name in manifest["files"] if name[:5] == "site/"})
        raise Damaged(
            f"this is Python {python[5:-1]}, and the bundle's packages are for {', '.join(has)}; "
            f"expected one of these: set PYTHON, or run prepare.py with --pythons {python[5:-1]}"
        )
    kinds = ("common/", python)
    unpack(options.bundle, manifest, _under(manifest, kinds), options.output)
    models = {name.split("/")[1] for name in manifest["files"] if name.startswith("models/")}
    for model in sorted(models):
        kinds = (f"models/{model}/", *((f"dry/{model}/",) if options.dry else ()))
        names = _under(manifest, kinds)
        if missing := missing_parts(options.bundle, manifest, names):
            print(f"{model} is left out: {', '.join(missing)} weren't copied", flush=True)
        else:
            unpack(options.bundle, manifest, names, options.output)


def _under(manifest: dict, folders: tuple[str, ...]) -> list[str]:
    return [name for name in manifest["files"] if name.startswith(folders)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dry", action="store_true", help="also what the dry run needs")
    try:
        main(parser.parse_args())
    except Damaged as error:
        sys.exit(str(error))
