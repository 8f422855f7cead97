"""Ask a model file what it says of itself. Runs in the child process of the job."""

from dataclasses import asdict
from pathlib import Path

from deltann.formats import descriptions


def work(source: str, file: str) -> dict:
    """The fields of a `descriptions.Description`.

    Args:
        source: the framework of the file.
        file: its path.

    Raises:
        Exception: of `descriptions.Describer`.
    """
    return asdict(descriptions.get(source).describe(Path(file)))
