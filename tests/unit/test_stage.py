"""What a stage leaves of its work: an artifact and its record, or a record of a failure."""

import argparse
import json

import pytest

from deltann.errors import StudyError, Transient
from deltann.execution import environment, stage
from deltann.provenance import files, records


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
    records.write(record, "export", [source], {}, "")
    return options(
        "--model-file", str(source), "--model-file-record", str(record), from_model_file=True
    )


def test_run_stage_leaves_artifact_and_record(options):
    made = options()
    returned = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, made)
    record = json.loads(made.record.read_text())
    assert record.pop("checksum") == files.checksum_json(returned)
    assert record == returned
    assert made.artifact.read_text() == "hello"
    assert record["status"] == "ok"
    assert record["details"] == {"length": 5}
    assert (record["stage"], record["inputs"]) == ("misbehave", {})
    assert record["outputs"] == {"model.bin": files.checksum(made.artifact)}
    assert record["environment_digest"] == environment.describe()["checksum"]
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
    assert record["outputs"] == {"model.bin": files.checksum_bytes(b"")}
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
    source = from_model_file.model_file
    source.write_bytes(b"")
    records.write(from_model_file.model_file_record, "export", [source], {}, "", **cause)
    record = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, from_model_file)
    assert {key: record[key] for key in cause} == cause
    assert from_model_file.artifact.read_bytes() == b""


def test_a_source_is_named_in_the_record(from_model_file):
    record = stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, from_model_file)
    assert record["inputs"] == {"../source.bin": files.checksum(from_model_file.model_file)}


def test_a_damaged_source_is_refused(from_model_file):
    data = bytearray(from_model_file.model_file.read_bytes())
    data[3] ^= 1
    from_model_file.model_file.write_bytes(data)
    with pytest.raises(StudyError, match="source.bin: checksum mismatch with .*source.bin.json"):
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
    with pytest.raises(StudyError, match=r"numpy.*--force .*environment\.json"):
        stage.run_stage("misbehave", {"how": "writes", "text": "hello"}, made)
    assert not made.artifact.exists()
