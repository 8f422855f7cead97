"""Checkpoints of an inference: finished parts, from which an interrupted cell resumes."""

import fcntl
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann.errors import StudyError
from deltann.provenance import files
from deltann.stages.disturbance import Demand


@dataclass(frozen=True)
class Circumstances:
    """How a part was measured.

    Attributes:
        session: a name for the process that measured it.
        probe: seconds of the probe before the session.
        demand: the processor time that the process asked for during the part.
    """

    session: str
    probe: float
    demand: Demand


@dataclass(frozen=True)
class PartResult:
    """The result of a part of the images; one session made all timed passes over them.

    Attributes:
        logits: float32 (image, class).
        latency: float64 (image, repeat), seconds.
        circumstances: how the part was measured.
    """

    logits: np.ndarray
    latency: np.ndarray
    circumstances: Circumstances


class Checkpoint:
    """A folder with the results of finished parts.

    Args:
        folder: the cell's folder.
        key: digest of everything that determines the results. Saved results with another key are
            ignored.
    """

    def __init__(self, folder: Path, key: str):
        self.folder, self.key = folder, key

    def _path(self, part: slice) -> Path:
        return self.folder / f"{part.start}-{part.stop}.npz"

    def save(self, part: slice, result: PartResult) -> None:
        """Save the result of a finished part.

        Args:
            part: the numbers of its images.
            result: what was measured.

        Raises:
            StudyError: the file can't be written.
        """
        circumstances = result.circumstances
        try:
            with files.atomic(self._path(part)) as path, open(path, "wb") as stream:
                np.savez(
                    stream,
                    key=self.key,
                    logits=result.logits,
                    latency=result.latency,
                    session=circumstances.session,
                    probe=circumstances.probe,
                    demand=[circumstances.demand.requested, circumstances.demand.lost],
                )
        except OSError as error:
            raise StudyError(f"{self.folder}: can't save a checkpoint: {error}") from error

    def has(self, part: slice) -> bool:
        """Whether a part has an undamaged result with this key."""
        return self._load(part) is not None

    def load(self, part: slice) -> PartResult:
        """The result of a finished part.

        Raises:
            StudyError: there is none.
        """
        result = self._load(part)
        if result is None:
            raise StudyError(f"{self._path(part)}: not a checkpoint of this cell; run again")
        return result

    def _load(self, part: slice) -> PartResult | None:
        try:
            with np.load(self._path(part), allow_pickle=False) as saved:
                if saved["key"] != self.key:
                    return None
                demand = Demand(*saved["demand"].tolist())
                circumstances = Circumstances(str(saved["session"]), float(saved["probe"]), demand)
                return PartResult(saved["logits"], saved["latency"], circumstances)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return None

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Lock a cell's folder; wait for a process that a killed run left at work in it."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = open(folder / "lock", "w")
        except FileNotFoundError:
            continue  # the other process has just removed the folder
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another process is at work on this cell ({folder}): waiting", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:  # else the other process has removed the folder
                yield
                return
