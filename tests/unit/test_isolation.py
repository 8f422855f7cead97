"""Foreign tools that misbehave in real child processes, and the records they leave."""

import os
import signal
import subprocess
import sys
import time

import pytest

from deltann.errors import StudyError
from deltann.execution import isolation
from deltann.execution.isolation import Child, Limits, Task
from helpers.misbehaviour import START_SECONDS, alive, wait_for
from helpers.workspace import ROOT

ROOMY = Limits(seconds=60, memory_mb=4000)


@pytest.fixture
def run(package, tmp_path):
    """Run one misbehaviour to its end."""

    def to_the_end(how, limits=ROOMY, module="deltann.stages.misbehave", **arguments):
        return Task(module, {"how": how} | arguments, limits, tmp_path).wait()

    return to_the_end


def test_a_result_comes_back(run):
    outcome = run("returns")
    assert outcome.result == {"answer": 42}
    assert outcome.failure is None
    assert 0 < outcome.seconds < START_SECONDS
    assert outcome.peak_memory_bytes > 5_000_000  # an interpreter alone takes more


def test_an_exception_is_a_failure(run):
    outcome = run("raises")
    assert outcome.result is None
    assert outcome.failure.type == "RuntimeError"
    assert outcome.failure.message == "unsupported operator: Swish"
    assert "in raises" in outcome.failure.traceback
    assert not outcome.failure.transient


def test_an_exception_without_a_message_has_one(run):
    assert run("raises_without_message").failure.message == "ValueError()"


@pytest.mark.parametrize(
    ("how", "type_"),
    [
        ("segfaults", "SIGSEGV"),
        ("aborts", "SIGABRT"),
        ("exits", "exit status 3"),
        ("exits_early", "exit status 0"),
        ("leaves", "exit status 4"),
    ],
)
def test_an_end_without_an_answer_is_a_failure(run, how, type_):
    failure = run(how).failure
    assert failure.type == type_
    assert type_ in failure.message
    assert not failure.transient


def test_a_hang_ends_at_the_limit_with_all_its_processes(run, tmp_path):
    pids = tmp_path / "pids"
    outcome = run("hangs", Limits(seconds=4, memory_mb=4000), pids=str(pids))
    assert outcome.failure.type == "TimeLimit"
    assert "4 s" in outcome.failure.message
    assert outcome.failure.transient
    assert 4 <= outcome.seconds < 20
    child, grandchild = map(int, pids.read_text().split())
    wait_for(lambda: not alive(child) and not alive(grandchild), 5)


@pytest.mark.parametrize("how", ["eats", "grandchild_eats"])
def test_a_memory_eater_ends_at_the_limit(run, how):
    outcome = run(how, Limits(seconds=60, memory_mb=200))
    assert outcome.failure.type == "MemoryLimit"
    assert "200 MiB" in outcome.failure.message
    assert not outcome.failure.transient
    assert 200 * 2**20 < outcome.peak_memory_bytes < 1000 * 2**20


def test_a_kill_from_outside_is_transient(package, tmp_path):
    pids = tmp_path / "pids"
    arguments = {"how": "hangs", "pids": str(pids)}
    task = Task("deltann.stages.misbehave", arguments, ROOMY, tmp_path)
    wait_for(pids.exists)
    os.kill(task.process.pid, signal.SIGKILL)
    failure = task.wait().failure
    assert failure.type == "SIGKILL"
    assert failure.transient
    grandchild = int(pids.read_text().split()[1])
    wait_for(lambda: not alive(grandchild), 5)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("misnames", "NameError: name 'nonsense'"),
        ("miscalls", "TypeError: returns"),
        ("misses", "AttributeError: module 'foreign'"),
        ("imports_nothing", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("fills_the_disk", "No space left on device"),
        ("returns_no_json", "not JSON serializable"),
    ],
)
def test_a_fault_of_ours_raises(run, how, error):
    with pytest.raises(StudyError, match=error):
        run(how)


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("deltann.stages.misspelt", "SyntaxError"),
        ("deltann.stages.misguided", "No module named 'no_such_package'"),
        ("deltann.stages.missing", "No module named 'deltann.stages.missing'"),
    ],
)
def test_a_module_of_ours_that_cannot_be_imported_raises(run, module, error):
    with pytest.raises(StudyError, match=error):
        run("returns", module=module)


@pytest.mark.parametrize(
    ("how", "type_"), [("has_a_bug", "NameError"), ("cannot_find", "FileNotFoundError")]
)
def test_a_bug_of_the_foreign_tool_is_its_failure(run, how, type_):
    assert run(how).failure.type == type_


def test_a_failure_on_a_full_disk_raises(run, monkeypatch):
    monkeypatch.setattr(isolation, "FULL_DISK_BYTES", 1 << 62)
    assert run("returns").result == {"answer": 42}
    with pytest.raises(StudyError, match="no space left"):
        run("raises")


def test_nothing_is_left_in_the_temporary_folder(package, tmp_path):
    task = Task("deltann.stages.misbehave", {"how": "raises"}, ROOMY, tmp_path)
    assert task.folder.is_dir()
    task.wait()
    assert not task.folder.exists()


def test_the_child_dies_with_its_parent(package, tmp_path):
    pids = tmp_path / "pids"
    code = (
        "import sys; from pathlib import Path\n"
        "from deltann.execution.isolation import Limits, Task\n"
        "Task('deltann.stages.misbehave', {'how': 'hangs', 'pids': sys.argv[1]}, Limits(60, 4000),"
        " Path(sys.argv[2])).wait()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(pids), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(package)},
    )
    wait_for(pids.exists)
    child, grandchild = map(int, pids.read_text().split())
    try:
        assert alive(child)
        parent.kill()
        parent.wait()
        wait_for(lambda: not alive(child), 5)
    finally:
        for pid in (child, grandchild):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_a_child_stopped_at_its_start_dies_with_its_parent(tmp_path):
    code = (
        "import os, signal, time; from deltann.execution.isolation import Child\n"
        "child = Child('deltann.provenance.files'); os.kill(child.process.pid, signal.SIGSTOP)\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        stdout=subprocess.PIPE,
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(child), 5)


def test_a_child_that_is_told_nothing_ends_with_its_context(package):
    with Child("deltann.stages.misbehave") as child:
        child.wait_until_imported()
        assert alive(child.process.pid) and child.folder.is_dir()
    assert not alive(child.process.pid) and not child.folder.exists()


def test_a_child_that_has_imported_its_module_works(package, tmp_path):
    with Child("deltann.stages.misbehave") as child:
        child.wait_until_imported()
        time.sleep(0.2)
        task = Task("deltann.stages.misbehave", {"how": "returns"}, ROOMY, tmp_path, child)
        outcome = task.wait()
    assert outcome.result == {"answer": 42}
    assert not child.folder.exists()


def test_waiting_for_a_child_that_cannot_import_ends(package, tmp_path):
    with Child("deltann.stages.misspelt") as child:
        child.wait_until_imported()
        task = Task("deltann.stages.misspelt", {"how": "returns"}, ROOMY, tmp_path, child)
        with pytest.raises(StudyError, match="SyntaxError"):
            task.wait()
