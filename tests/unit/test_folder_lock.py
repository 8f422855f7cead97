"""The lock on a folder, between processes of one host; another host's run is made up."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deltann.errors import StudyError
from deltann.workflow import folder_lock
from deltann.workflow.folder_lock import FolderLock

SCRIPTS = Path(folder_lock.__file__).resolve().parents[2]
HOLD = """
import os, subprocess, sys, time
from pathlib import Path
from deltann.workflow.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
if os.fork() == 0:
    sys.exit()  # a forked process ends, and with it its copy of the lock
os.wait()
child = subprocess.Popen(["sleep", "60"])  # a job that outlives its run
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SCRIPTS)},
        start_new_session=True,
    )
    process.stdout.readline()
    yield process
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def test_a_second_process_is_refused_until_the_first_is_killed(holder, tmp_path):
    with pytest.raises(StudyError, match=rf"another run is under way .* process {holder.pid} on"):
        FolderLock(tmp_path)
    holder.kill()  # its own child goes on
    holder.wait()
    lock = FolderLock(tmp_path)
    assert lock.after_a_kill
    lock._end()
    assert not lock.owner.exists()


def owner_file(folder: Path, beat: int) -> None:
    """What a run on another host leaves in the owner file."""
    other = {"host": "elsewhere", "boot": "", "pid": 7, "token": "other", "beat": f"{beat:012d}"}
    (folder / "deltann.owner").write_text(json.dumps(other))


def test_a_run_on_another_host_counts_as_long_as_its_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(folder_lock, "WATCH_SECONDS", 1.0)
    ended = threading.Event()

    def beats() -> None:
        beat = 0
        while not ended.wait(0.1):
            owner_file(tmp_path, beat := beat + 1)

    owner_file(tmp_path, 0)
    heart = threading.Thread(target=beats)
    heart.start()
    try:
        with pytest.raises(StudyError, match="process 7 on host elsewhere"):
            FolderLock(tmp_path)
    finally:
        ended.set()
        heart.join()
    begun = time.monotonic()
    lock = FolderLock(tmp_path)  # the refused one gave its lock back
    assert time.monotonic() - begun >= 1.0
    assert lock.after_a_kill
    lock._end()
