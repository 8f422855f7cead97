"""Foreign tools that misbehave in real child processes, and the records they leave."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deltann.errors import StudyError, Transient
from deltann.execution import environment, isolation, stage
from deltann.execution.isolation import Child, Limits, Task
from deltann.provenance import files, records

PACKAGE = Path(isolation.__file__).resolve().parents[1]
ROOMY = Limits(seconds=60, memory_mb=4000)
START_SECONDS = 30

# Lies outside of the package: whatever it raises is the foreign tool's.
FOREIGN = """
import ctypes, os, subprocess, sys, time

def returns(): return {"answer": 42}
def raises(): raise RuntimeError("unsupported operator: Swish")
def raises_without_message(): raise ValueError
def has_a_bug(): return nonsense
def segfaults(): ctypes.string_at(0)
def aborts(): os.abort()
def exits(): os._exit(3)
def exits_early(): os._exit(0)
def leaves(): sys.exit(4)
def fills_the_disk():
    with open("/dev/full", "wb") as stream:
        stream.write(b"x" * 100_000)
def cannot_find():
    open("/no/such/file")
def hangs(pids):
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    with open(pids + ".part", "w") as stream:
        stream.write(f"{os.getpid()} {grandchild.pid}")
    os.rename(pids + ".part", pids)
    time.sleep(100)
def eats():
    held = []
    for _ in range(100):  # never more than 800 MB, should the limit not hold
        held.append(bytearray(b"1" * 8_000_000))
        time.sleep(0.01)
    time.sleep(2)
def grandchild_eats():
    code = "import foreign; foreign.eats()"
    subprocess.run([sys.executable, "-c", code])
"""
# Lies inside of the package, as every stage's module does.
OURS = """
from pathlib import Path

import foreign

def misnames(): return nonsense
def miscalls(): foreign.returns(1)
def misses(): return foreign.nothing
def imports_nothing(): import no_such_package
def returns_no_json(): return {"answer": {1, 2}}

def work(how, model_file=None, output=None, text=None, **arguments):
    if how == "writes":
        Path(output).write_text(text)
        return {"length": len(text)}
    if how == "half":
        Path(output).write_text("half")
        raise RuntimeError("half way")
    function = globals().get(how) or getattr(foreign, how)
    return function(**arguments) or {}
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package with a misbehaving stage, where child processes find it."""
    scripts = tmp_path / "scripts"
    shutil.copytree(PACKAGE, scripts / "deltann", ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "foreign.py").write_text(FOREIGN)
    (scripts / "deltann/stages/misbehave.py").write_text(OURS)
    (scripts / "deltann/stages/misspelt.py").write_text("def work(:\n")
    (scripts / "deltann/stages/misguided.py").write_text("import no_such_package\n")
    monkeypatch.setattr(isolation, "PACKAGE", scripts / "deltann")
    return scripts


@pytest.fixture
def run(package, tmp_path):
    """Run one misbehaviour to its end."""

    def to_the_end(how, limits=ROOMY, module="deltann.stages.misbehave", **arguments):
        return Task(module, {"how": how} | arguments, limits, tmp_path).wait()

    return to_the_end


def wait_for(condition, seconds=START_SECONDS):
    """Wait until a condition holds, and fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for doesn't."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        stdout=subprocess.PIPE,
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(child), 5)


@pytest.fixture
def options(package, tmp_path):
    """A stage's options, as its script would parse them."""
    manifest = tmp_path / "environment.json"
    files.write_json(manifest, environment.describe())

    def parsed(*more, from_model_file=False):
        parser = argparse.ArgumentParser()
        stage.arguments(parser, from_model_file)
        common = ["--environment", str(manifest), "--memory-mb", "4000"]
        common += ["--artifact", str(tmp_path / "made/model.bin")]
        common += ["--record", str(tmp_path / "made/model.bin.json")]
        return parser.parse_args(common + ["--seconds", "60", "--retries-left", "0", *more])

    return parsed


@pytest.fixture
def from_model_file(options, tmp_path):
    """Options of a stage that reads a file which an earlier stage made."""
    source, record = tmp_path / "source.bin", tmp_path / "source.bin.json"
    source.write_bytes(b"the weights")
    records.write_json(record, {"status": "ok", "sha256": files.sha256(source)})
    return options(
        "--model-file", str(source), "--model-file-record", str(record), from_model_file=True
    )


def test_run_stage_leaves_artifact_and_record(options):
    made = options()
    returned = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, made)
    record = json.loads(made.record.read_text())
    assert record.pop("digest") == files.digest(returned)
    assert record == returned
    assert made.artifact.read_text() == "hello"
    assert record["status"] == "ok"
    assert record["details"] == {"length": 5}
    assert record["bytes"] == 5
    assert record["sha256"] == files.sha256(made.artifact)
    assert record["environment_digest"] == environment.describe()["digest"]
    assert record["arguments"] == {"how": "writes", "text": "hello"}
    assert record["seconds"] > 0
    assert record["peak_memory_bytes"] > 0


@pytest.mark.parametrize(
    ("how", "type_", "message"),
    [
        ("raises", "RuntimeError", "unsupported operator: Swish"),
        ("half", "RuntimeError", "half way"),
        ("segfaults", "SIGSEGV", "SIGSEGV"),
        ("returns", "NoOutput", "wrote nothing"),
    ],
)
def test_a_failed_artifact_is_an_empty_file_with_its_cause(options, how, type_, message):
    made = options()
    stage.run_stage("misbehave", {"how": how}, made)
    record = json.loads(made.record.read_text())
    assert made.artifact.read_bytes() == b""
    assert (record["status"], record["failed_stage"]) == ("failed", "misbehave")
    assert record["error"]["type"] == type_
    assert message in record["error"]["message"]
    assert "traceback" in record["error"]
    assert "sha256" not in record
    assert sorted(path.name for path in made.artifact.parent.iterdir()) == [
        "model.bin",
        "model.bin.json",
    ]


def test_a_failed_source_passes_its_cause_on(from_model_file):
    cause = {
        "status": "failed",
        "failed_stage": "export",
        "error": {"type": "SIGSEGV", "message": "gone", "traceback": ""},
    }
    records.write_json(from_model_file.model_file_record, cause)
    from_model_file.model_file.write_bytes(b"")
    record = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, from_model_file)
    assert {key: record[key] for key in cause} == cause
    assert from_model_file.artifact.read_bytes() == b""


def test_a_source_is_named_in_the_record(from_model_file):
    record = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, from_model_file)
    assert record["inputs"] == {
        str(from_model_file.model_file): files.sha256(from_model_file.model_file)
    }


def test_a_damaged_source_is_refused(from_model_file):
    data = bytearray(from_model_file.model_file.read_bytes())
    data[3] ^= 1
    from_model_file.model_file.write_bytes(data)
    with pytest.raises(StudyError, match="source.bin is not the file that .*source.bin.json"):
        stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, from_model_file)
    assert not from_model_file.artifact.exists()
    assert not from_model_file.record.exists()


def test_a_fault_of_ours_leaves_nothing(options):
    made = options()
    with pytest.raises(StudyError, match="NameError"):
        stage.run_stage("misbehave", {"how": "misnames"}, made)
    assert list(made.artifact.parent.iterdir()) == []


def test_a_time_limit_is_transient_until_the_last_try(options, tmp_path):
    arguments = {"how": "hangs", "pids": str(tmp_path / "pids")}
    first = options("--seconds", "2", "--retries-left", "1")
    with pytest.raises(Transient, match="TimeLimit"):
        stage.run_stage("misbehave", arguments, first)
    assert list(first.artifact.parent.iterdir()) == []
    last = options("--seconds", "2", "--retries-left", "0")
    assert stage.run_stage("misbehave", arguments, last)["error"]["type"] == "TimeLimit"


def test_another_environment_is_refused(options):
    made = options()
    manifest = files.read_json(made.environment)
    manifest["distributions"]["numpy"] = "0.1"
    files.write_json(made.environment, manifest)
    with pytest.raises(StudyError, match=r"numpy.*--forcerun .*environment\.json"):
        stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, made)
    assert not made.artifact.exists()


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
