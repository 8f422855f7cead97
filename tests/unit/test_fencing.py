"""A script of a job writes only while the job's run holds the folder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deltann import fencing
from deltann.errors import StudyError
from deltann.provenance import files

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
# A job's script: it says that it has begun, and writes a file once there is a file `go`.
SCRIPT = """
import argparse, time
from pathlib import Path

from deltann.execution import cli
from deltann.provenance import files

def main(options):
    Path("begun").touch()
    while not Path("go").exists():
        time.sleep(0.05)
    files.write_text(Path("written"), "by the script")

cli.run(main, argparse.ArgumentParser())
"""


@pytest.fixture
def owner(tmp_path, monkeypatch):
    """The owner file of a run that holds a folder; this process has what the run's jobs have."""
    path = tmp_path / ".snakemake/deltann.owner"
    path.parent.mkdir()
    path.write_text(json.dumps({"host": "here", "boot": "", "pid": 6, "token": "mine"}))
    for name in (fencing.TOKEN, fencing.STARTER):
        monkeypatch.setenv(name, "")  # restored afterwards
    fencing.pass_token("mine", path)
    fencing.pass_starter()
    return path


def another(owner: Path) -> None:
    """Put another run in the place of the one that holds the folder."""
    owner.write_text(json.dumps(json.loads(owner.read_text()) | {"token": "another", "pid": 7}))


def script(folder: Path, **more) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def until(true, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_job_of_the_run_writes(owner, tmp_path):
    (tmp_path / "go").touch()
    assert script(tmp_path).wait(60) == 0
    assert (tmp_path / "written").exists()


@pytest.mark.parametrize("change", [another, Path.unlink, lambda owner: owner.write_text("{")])
def test_nothing_is_written_for_a_run_that_is_gone(owner, tmp_path, change, monkeypatch):
    file = tmp_path / "file"
    with pytest.raises(StudyError, match="no longer holds .* stops without writing"):
        with files.atomic(file) as part:
            part.write_text("late")
            change(owner)
    assert not file.exists()
    monkeypatch.delenv(fencing.TOKEN)  # as for a script that is started by hand
    files.write_text(file, "by hand")


def test_a_job_removes_what_a_killed_attempt_left(owner, tmp_path):
    left = tmp_path / ".file.killed"
    left.mkdir()
    files.write_text(tmp_path / "file", "anew")
    assert not left.exists()


def test_outside_a_run_two_may_write_the_same_file_at_once(tmp_path, monkeypatch):
    monkeypatch.delenv(fencing.TOKEN, raising=False)  # as for two dry runs
    file = tmp_path / "file"
    with files.atomic(file) as part:
        part.write_text("first")
        files.write_text(file, "second")
        assert file.read_text() == "second"
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_script_stops_when_another_run_takes_the_folder(owner, tmp_path):
    process = script(tmp_path)
    until((tmp_path / "begun").exists)
    another(owner)
    assert process.wait(30) == 1
    assert "process 7 on host" in process.stderr.read()
    (tmp_path / "go").touch()
    assert not (tmp_path / "written").exists()


def test_a_stopped_script_does_not_write_when_it_goes_on(owner, tmp_path):
    process = script(tmp_path)
    until((tmp_path / "begun").exists)
    process.send_signal(signal.SIGSTOP)
    another(owner)
    (tmp_path / "go").touch()
    process.send_signal(signal.SIGCONT)
    assert process.wait(30) == 1
    assert not (tmp_path / "written").exists()


def test_a_script_stops_when_its_snakemake_is_killed(owner, tmp_path):
    """Also where its parent, a shell, lives on."""
    code = (
        f"import os; os.environ[{fencing.STARTER!r}] = str(os.getpid()); import subprocess, sys; "
    )
    code += "subprocess.run(['sh', '-c', 'echo $$; \"$@\"; true', 'sh', *sys.argv[1:]])"
    snakemake = subprocess.Popen(
        [sys.executable, "-c", code, sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
    )
    until((tmp_path / "begun").exists)
    shell, job = psutil.Process(snakemake.pid).children(recursive=True)
    snakemake.kill()
    snakemake.wait()
    until(lambda: not (shell.is_running() or job.is_running()))
