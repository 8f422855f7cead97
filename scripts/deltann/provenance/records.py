"""Records: what each job made, from what, and in which environment; and that it still is so.

There is one scheme. Each job leaves a record, a JSON file beside the files that it made:

| key | value |
| --- | --- |
| `stage` | the rule's name |
| `status` | `ok` or `failed` |
| `environment_digest` | the checksum of the environment's manifest; empty for Snakemake's own |
| `inputs`, `outputs` | the checksum of each file read and made, by its path |
| `user_files` | of an export: the checksum of each file of the user's that it read, by its path |
| `checksum` | of this record, without this key |

Stages add what else there is to say: `arguments`, `details`, and of a failure `failed_stage` and
`error`. A checksum is a hexadecimal SHA-256 (`files.checksum`). Paths are relative to the record's
folder: a study that is moved as a whole keeps its records. Only the user's files have the paths by
which the export read them, as they don't move with the study. A job that reads a file checks it
against its record first (`check`); `make verify` checks all files.

Prediction files and prepared images have no record beside them, as ten thousand cells would need
ten thousand more files. They are NetCDF files that say the same in their attributes, and
`deltann.provenance.netcdf_checksum` writes and checks the checksum of their content there.
"""

import argparse
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from deltann.errors import StudyError
from deltann.provenance import files

KEY = "checksum"
USER_FILES = "user_files"
STATUSES = ("ok", "failed")
REPAIR = "it was changed or damaged. Delete it and run again"


def argument(parser: argparse.ArgumentParser, read: str = "") -> None:
    """Add the option with the record that a script writes, or of a file that it reads."""
    option, what = (f"--{read}-record", f"that of the {read}") if read else ("--record", "its own")
    parser.add_argument(option, type=Path, required=True, help=f"{what}: record, JSON")


def with_checksum(value: dict) -> dict:
    """A JSON object with the checksum of itself."""
    return value | {KEY: files.checksum_json(value)}


def write(
    path: Path,
    stage: str,
    outputs: Iterable[Path],
    inputs: Mapping[Path, str],
    environment_digest: str,
    **more: object,
) -> dict:
    """Write the record of a job, atomically.

    Args:
        path: the record.
        stage: the rule's name.
        outputs: the files that the job made.
        inputs: the checksum of each file that they were made from.
        environment_digest: of the environment that made them.
        more: further entries, JSON-able; a `status` other than `ok` among them.

    Returns:
        The record, without its checksum.
    """
    record = {
        "stage": stage,
        "status": "ok",
        "environment_digest": environment_digest,
        "inputs": {_relative(name, path): checksum for name, checksum in inputs.items()},
        "outputs": {_relative(name, path): files.checksum(name) for name in outputs},
    } | more
    files.write_json(path, with_checksum(record))
    return record


def read(path: Path) -> dict:
    """Read a record, without its checksum.

    Raises:
        StudyError: it is damaged or no record.
        OSError: it can't be read.
    """
    try:
        value = files.read_json(path)
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, or too deep
        raise StudyError(f"{path}: not a JSON file: {REPAIR}: {error}") from error
    checksum = value.pop(KEY, None) if isinstance(value, dict) else None
    if checksum is None or checksum != files.checksum_json(value):
        raise StudyError(f"{path}: checksum mismatch: {REPAIR}")
    parts = [value.get("inputs"), value.get("outputs")]
    if value.get("status") not in STATUSES or not all(isinstance(part, dict) for part in parts):
        raise StudyError(f"{path}: not a record: {REPAIR}")
    return value


def check(path: Path, record: Path) -> str:
    """Make sure that a file is the one that a record describes.

    Returns:
        Its checksum.

    Raises:
        StudyError: the file is another, or the record is damaged or of other files.
        OSError: one of them can't be read.
    """
    checksum = files.checksum(path)
    compare(path, checksum, output_checksum(read(record), path, record), record)
    return checksum


def compare(path: Path, checksum: str, expected: str, record: Path) -> None:
    """Compare a file's checksum with the one in its record.

    Raises:
        StudyError: they differ.
    """
    if checksum != expected:
        raise StudyError(f"{path}: checksum mismatch with {record}: {REPAIR}")


def output_checksum(record: dict, path: Path, record_path: Path) -> str:
    """The checksum that a record has of one of its outputs.

    Args:
        record: what `read` returned.
        path: the output.
        record_path: where the record lies.

    Raises:
        StudyError: it is a record of other files.
    """
    try:
        return record["outputs"][_relative(path, record_path)]
    except KeyError as error:
        raise StudyError(f"{record_path}: not the record of {path}: {REPAIR}") from error


def resolve(checksums: Mapping[str, str], record_path: Path) -> dict[Path, str]:
    """The inputs or outputs of a record, by paths from where this process works."""
    return {_resolve(name, record_path.parent): value for name, value in checksums.items()}


def _resolve(name: str, folder: Path) -> Path:
    """A path relative to a folder, without `..`: paths of one study then compare equal."""
    for part in PurePosixPath(name).parts:
        folder = folder.parent if part == ".." else folder / part
    return folder


def _relative(path: Path, record: Path) -> str:
    """A path as its record has it: relative to the record's folder, with `/`."""
    return Path(os.path.relpath(path, record.parent)).as_posix()
