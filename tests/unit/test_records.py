"""Records: checksums of what a job made and read, and of the record itself."""

import json
import shutil

import pytest

from deltann.errors import StudyError
from deltann.provenance import files, records


@pytest.fixture
def study(tmp_path):
    """A study of two files, one made from the other, and the second one's record."""
    model, table = tmp_path / "study/models/a/model.onnx", tmp_path / "study/tables/t.csv"
    for path, text in ((model, "weights"), (table, "1,2\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    record = table.with_name("record.json")
    records.write(record, "tables", [table], {model: files.checksum(model)}, "0" * 64, note="x")
    return tmp_path / "study"


def test_a_record_names_files_relative_to_itself(study):
    record = records.read(study / "tables/record.json")
    assert record == {
        "stage": "tables",
        "status": "ok",
        "environment_digest": "0" * 64,
        "inputs": {"../models/a/model.onnx": files.checksum(study / "models/a/model.onnx")},
        "outputs": {"t.csv": files.checksum(study / "tables/t.csv")},
        "note": "x",
    }


def test_a_moved_study_keeps_its_records(study, tmp_path):
    moved = tmp_path / "elsewhere/renamed"
    shutil.move(study, moved)
    record = moved / "tables/record.json"
    assert records.check(moved / "tables/t.csv", record) == files.checksum(moved / "tables/t.csv")
    assert list(records.resolve(records.read(record)["inputs"], record)) == [
        moved / "models/a/model.onnx"
    ]


def test_a_changed_file_is_refused(study):
    (study / "tables/t.csv").write_text("1,3\n")
    with pytest.raises(StudyError, match=r"t\.csv: checksum mismatch with .*record\.json: it was"):
        records.check(study / "tables/t.csv", study / "tables/record.json")


def test_a_record_of_other_files_is_refused(study):
    with pytest.raises(StudyError, match=r"record\.json: not the record of .*model\.onnx"):
        records.check(study / "models/a/model.onnx", study / "tables/record.json")


def changed(record: dict) -> str:
    return json.dumps(record | {"note": "y"})


def without_checksum(record: dict) -> str:
    return json.dumps({key: value for key, value in record.items() if key != "checksum"})


def no_record(record: dict) -> str:
    return json.dumps(records.with_checksum({"distributions": {}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (changed, "checksum mismatch"),
        (without_checksum, "checksum mismatch"),
        (no_record, "not a record"),
        (lambda record: "[]", "checksum mismatch"),
        (lambda record: "{", "not a JSON file"),
        (lambda record: "[" * 100_000, "not a JSON file"),
    ],
    ids=["changed", "without checksum", "other JSON", "a list", "truncated", "deep"],
)
def test_a_damaged_record_is_refused(study, damage, message):
    path = study / "tables/record.json"
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(StudyError, match=rf"record\.json: {message}: it was changed or damaged"):
        records.read(path)
