"""The finished parts of a cell that is under way, from which an interrupted one goes on."""

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
        session: names the process that did it, from its start to its end or interruption.
        probe: seconds of the probe before the session.
        demand: see `deltann.stages.disturbance`.
    """

    session: str
    probe: float
    demand: Demand


@dataclass(frozen=True)
class Part:
    """What a cell gave for some of the images, all timed passes over them in one session.

    Attributes:
        logits: (image, class) float32.
        latency: (image, repeat) float64, seconds.
        circumstances: how it was measured.
    """

    logits: np.ndarray
    latency: np.ndarray
    circumstances: Circumstances


class Progress:
    """A folder of finished parts, each bound to all that determines its answers.

    Args:
        folder: the cell's.
        key: digest of all that determines the answers.
    """

    def __init__(self, folder: Path, key: str):
        self.folder, self.key = folder, key

    def _path(self, part: slice) -> Path:
        return self.folder / f"{part.start}-{part.stop}.npz"

    def add(self, part: slice, found: Part) -> None:
        """Keep a finished part.

        Raises:
            StudyError: it can't be written.
        """
        about = found.circumstances
        try:
            with files.atomic(self._path(part)) as path, open(path, "wb") as stream:
                np.savez(
                    stream,
                    key=self.key,
                    logits=found.logits,
                    latency=found.latency,
                    session=about.session,
                    probe=about.probe,
                    demand=[about.demand.asked, about.demand.taken],
                )
        except OSError as error:
            raise StudyError(f"{self.folder}: can't keep a finished part: {error}") from error

    def has(self, part: slice) -> bool:
        """Whether a part is finished: whole, and of this key."""
        return self._load(part) is not None

    def read(self, part: slice) -> Part:
        """A finished part.

        Raises:
            StudyError: there is none.
        """
        found = self._load(part)
        if found is None:
            raise StudyError(f"{self._path(part)}: not a finished part of this cell; run again")
        return found

    def _load(self, part: slice) -> Part | None:
        try:
            with np.load(self._path(part), allow_pickle=False) as found:
                if found["key"] != self.key:
                    return None
                demand = Demand(*found["demand"].tolist())
                about = Circumstances(str(found["session"]), float(found["probe"]), demand)
                return Part(found["logits"], found["latency"], about)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            return None

    def drop(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a cell's folder alone; wait for a process that a killed run left behind in it."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = open(folder / "lock", "w")
        except FileNotFoundError:
            continue  # its holder is just removing it
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another process is at work on this cell ({folder}): waiting", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock.fileno()).st_nlink:  # else its holder was done and removed it
                yield
                return
