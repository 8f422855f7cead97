"""One run per folder, also if two hosts share the folder.

The kernel's lock on a file (`filelock`) ends with its process, however that ends. On some file
systems it doesn't reach other hosts. So the run that holds the folder also writes who it is, and a
heartbeat, a number that grows, into the owner file. A new run that gets the lock although another
host's run is named there watches the heartbeat for a while: if it grows, that run is alive; if it
doesn't, that run was killed. The clocks of two hosts are never compared.
"""

import atexit
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
# Longer than a beat: a file system that hosts share may show changes late.
WATCH_SECONDS = 8.0
BOOT = Path("/proc/sys/kernel/random/boot_id")


class FolderLock:
    """A folder that this process holds, from here to its end.

    Attributes:
        owner: the file that names the run that holds the folder.
        token: this run's own word in that file.
        after_a_kill: whether the run before this one was killed, as it left its name.
    """

    def __init__(self, folder: Path):
        """Take the lock.

        Args:
            folder: for the two files; it is made if it doesn't exist.

        Raises:
            StudyError: another run holds it; the message names its host and process.
            OSError: the folder can't be written to, or its file system has no locks.
        """
        # imported here, as dry runs and the jobs of a cluster, which parse this too, don't need it
        from filelock import FileLock, Timeout

        folder.mkdir(parents=True, exist_ok=True)
        self.owner = folder / "deltann.owner"
        self._me = _identity()
        self.token = self._me["token"]
        # no soft lock instead: it would outlive a killed run
        self._lock = FileLock(folder / "deltann.lock", blocking=False, fallback_to_soft=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise self._refusal(read_owner(self.owner)) from None
        owner = read_owner(self.owner)
        self.after_a_kill = bool(owner)
        if owner and _host(owner) != _host(self._me) and self._alive():
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
        """Whether the heartbeat in the owner file goes on."""
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
        """Write the heartbeat; end this run if one that began at the same moment has won."""
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
        if os.getpid() != self._me["pid"]:  # a forked process, which doesn't hold the folder
            return
        self._ended.set()
        self._keeper.join(BEAT_SECONDS)  # so that it doesn't write the file again
        if read_owner(self.owner).get("token") == self.token:
            self.owner.unlink(missing_ok=True)


def _identity() -> dict:
    """Who this process is; no other process has its token."""
    boot = BOOT.read_text().strip() if BOOT.exists() else ""
    return {
        "host": platform.node(),
        "boot": boot,
        "pid": os.getpid(),
        "token": os.urandom(8).hex(),
    }


def _host(owner: dict) -> tuple[str, str]:
    """The host's name and boot, as two hosts may have the same name."""
    return owner["host"], owner["boot"]


def _content(path: Path) -> bytes:
    """A file's content; empty if there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
