"""Files that prove themselves: JSON with its own digest, and records of what a job made.

A record lies beside a job's files, and names them relative to its own folder: a study that is
moved as a whole keeps its proofs.
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from deltann.errors import StudyError
from deltann.provenance import files

STATUSES = ("ok", "failed")
REPAIR = "it was changed or damaged. Delete it and run again"


def argument(parser: argparse.ArgumentParser, read: str = "") -> None:
    """Add the option with the record that a script writes, or of a file that it reads."""
    option, what = (f"--{read}-record", f"that of the {read}") if read else ("--record", "its own")
    parser.add_argument(option, type=Path, required=True, help=f"{what}: record, JSON")


def write_json(path: Path, value: dict) -> None:
    """Write a JSON object with its digest, atomically."""
    files.write_json(path, value | {"digest": files.digest(value)})


def read_json(path: Path) -> dict:
    """Read what `write_json` wrote, without the digest.

    Raises:
        StudyError: it is no JSON object, or not the one that its digest is of.
    """
    try:
        value = files.read_json(path)
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or none of this world
        raise StudyError(f"{path}: not a JSON file: {REPAIR}: {error}") from error
    digest = value.pop("digest", None) if isinstance(value, dict) else None
    if digest is None or digest != files.digest(value):
        raise StudyError(f"{path} is not what its digest is of: {REPAIR}")
    return value


def seal(
    record: Path, made: Iterable[Path], inputs: dict[str, str], environment_digest: str
) -> None:
    """Write the record of a job that made files.

    Args:
        record: the JSON file to write.
        made: the files.
        inputs: by path, the digest of each file that they were made from.
        environment_digest: of the environment that made them.
    """
    write_json(
        record,
        {
            "environment_digest": environment_digest,
            "files": digests(record, made),
            "inputs": {_name(path, record): digest for path, digest in inputs.items()},
        },
    )


def digests(record: Path, made: Iterable[Path]) -> dict[str, str]:
    """The SHA-256 of files, by their names as a record has them."""
    return {_name(path, record): files.sha256(path) for path in made}


def check(path: Path, record: Path) -> dict[str, str]:
    """See that a file is the one that a record describes.

    Returns:
        Its SHA-256 by its path, as `seal` takes an input.

    Raises:
        StudyError: the file isn't, or the record is damaged or isn't of that file.
    """
    try:
        digest, expected = files.sha256(path), read_json(record)["files"].get(_name(path, record))
    except (AttributeError, KeyError) as error:
        raise StudyError(f"{record}: not the record of {path}: {REPAIR}") from error
    if digest != expected:
        raise StudyError(f"{path} is not the file that {record} describes: {REPAIR}")
    return {str(path): digest}


def artifact(path: Path, described: Path) -> dict:
    """The record of an artifact, once the file is seen to be that artifact.

    Raises:
        StudyError: the file isn't the one that its record describes (a failed one is empty), or
            the record is damaged.
    """
    record = read_json(described)
    if record.get("status") not in STATUSES:
        raise StudyError(f"{described}: not the record of {path}: {REPAIR}")
    if files.sha256(path) != record.get("sha256", files.sha256_bytes(b"")):
        raise StudyError(f"{path} is not the file that {described} describes: {REPAIR}")
    return record


def _name(path: Path | str, record: Path | str) -> str:
    """A path as its record has it: relative to the record's folder, with `/`."""
    return Path(os.path.relpath(path, Path(record).parent)).as_posix()
