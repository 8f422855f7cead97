"""One run per folder, also where two hosts share it.

The kernel's lock on a file ends with its process, however that ends, but may not reach another
host. So the owner also writes who it is, and a number that grows, into a second file. A newcomer
from another host watches that file for a while: contents that change are a run under way, contents
that don't are what a killed run left. No two hosts' clocks are compared.
"""

import atexit
import fcntl
import json
import os
import platform
import signal
import sys
import threading
import time
from pathlib import Path

from deltann.errors import StudyError
from deltann.fencing import read_owner

BEAT_SECONDS = 1.0
# Longer than a beat, as a file system that hosts share may show changes late.
WATCH_SECONDS = 8.0
BOOT = Path("/proc/sys/kernel/random/boot_id")


class FolderLock:
    """Held from its making to the end of the process.

    Attributes:
        owner: the file that names the run that holds the folder.
        token: this run's own word in that file.
        after_a_kill: whether the run before this one was killed: it left its name.
    """

    def __init__(self, folder: Path):
        """Take the lock.

        Args:
            folder: where the two files are; it is made where it doesn't exist.

        Raises:
            StudyError: another run has it; the message names its host and process.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.owner = folder / "deltann.owner"
        self._me = _identity()
        self.token = self._me["token"]
        self._lock = open(folder / "deltann.lock", "w")  # Python's files are close-on-exec
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._refusal(read_owner(self.owner)) from None
        owner = read_owner(self.owner)
        self.after_a_kill = bool(owner)
        if owner and _place(owner) != _place(self._me) and self._alive():
            raise self._refusal(owner)
        self._write(0)
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        atexit.register(self._end)

    def _refusal(self, owner: dict) -> StudyError:
        who = "process {pid} on host {host}".format(**owner) if owner else "another process"
        return StudyError(
            f"another run is under way in {Path.cwd()}: {who}. Wait until it is done, or end it"
        )

    def _alive(self) -> bool:
        """Whether somebody still writes to the owner's file."""
        before, end = _content(self.owner), time.monotonic() + WATCH_SECONDS
        while time.monotonic() < end:
            time.sleep(BEAT_SECONDS / 4)
            now = _content(self.owner)
            if now != before:
                return bool(now)  # without contents it has just ended
        return False

    def _write(self, beat: int) -> None:
        # in place: that shows on other hosts sooner than another file by the same name
        text = json.dumps(self._me | {"beat": f"{beat:012d}"})
        descriptor = os.open(self.owner, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, text.encode(), 0)
            os.ftruncate(descriptor, len(text.encode()))
        finally:
            os.close(descriptor)

    def _keep(self) -> None:
        """Show that this run lives; end it where a run that began at the same moment won."""
        beat = 0
        while not self._ended.wait(BEAT_SECONDS):
            beat += 1
            try:
                owner = read_owner(self.owner)
                if not owner or owner["token"] == self.token:
                    self._write(beat)
                    continue
            except OSError:  # a full disk, a server that is away: again at the next beat
                continue
            print(self._refusal(owner), file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGINT)
            return

    def _end(self) -> None:
        self._ended.set()
        self._keeper.join(BEAT_SECONDS)  # so that it doesn't write the file again
        if read_owner(self.owner).get("token") == self.token:
            self.owner.unlink(missing_ok=True)


def _identity() -> dict:
    """Who this process is; the token is its own, whatever the others' names."""
    boot = BOOT.read_text().strip() if BOOT.exists() else ""
    return {
        "host": platform.node(),
        "boot": boot,
        "pid": os.getpid(),
        "token": os.urandom(8).hex(),
    }


def _place(owner: dict) -> tuple[str, str]:
    """The host, told from another of the same name."""
    return owner["host"], owner["boot"]


def _content(path: Path) -> bytes:
    """What is in a file; nothing where it doesn't exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
