"""Files that are written whole or not at all, and their checksums."""

import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltann import fencing
from deltann.errors import StudyError


def checksum(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    value = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            value.update(block)
    return value.hexdigest()


def checksum_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def checksum_json(value: object) -> str:
    """Hexadecimal SHA-256 of a JSON-able value, independent of the order of its keys."""
    return checksum_bytes(json.dumps(value, sort_keys=True, ensure_ascii=True).encode())


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success rename it to `path`, else remove it.

    The data reach the disk before the name does.

    Raises:
        StudyError: the run that started this process no longer holds the folder.
    """
    path = Path(path)
    with scratch(path) as folder:
        part = folder / path.name
        yield part
        with open(part, "rb") as stream:
            os.fsync(stream.fileno())
        fencing.check()
        os.replace(part, path)


def check_writable(*folders: Path) -> None:
    """Make sure that files can be made in these folders; missing folders, that they can be made.

    Raises:
        StudyError: they can't; the message names the first such folder.
    """
    for folder in folders:
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not os.access(existing, os.W_OK | os.X_OK):
            raise StudyError(
                f"{existing.absolute()} can't be written to; expected a writable folder "
                f"for {folder}"
            )


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; in the end, remove it with its content.

    Its name is unique to the attempt: a job left over from a killed run can't write into the file
    of its successor. A job of a run first removes the folders that killed attempts at the same file
    left: no other job of the run makes this file. Processes outside a run (dry runs, scripts
    started by hand) may write the same file at the same time, and leave each other's folders.

    Raises:
        StudyError: the run that started this process no longer holds the folder.
    """
    fencing.check()
    path.parent.mkdir(parents=True, exist_ok=True)
    if fencing.in_a_run():
        for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        yield Path(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically, indented and with sorted keys."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
