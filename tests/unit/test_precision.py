"""What a model computes in, by the operands of its convolutions and matrix products."""

import pytest

from deltann import precision, spot_check
from deltann.dataset import lowering
from deltann.precision import MODEL, Precision

# activations, weights, whether scales are found at run time, and the name
OPERATORS = [
    ("float32", "float32", False, "float32"),
    ("bfloat16", "bfloat16", False, "bfloat16"),
    ("float16", "float16", False, "float16"),
    ("float32", "float16", False, "float16-weights"),
    ("float32", "bfloat16", False, "bfloat16-weights"),
    ("float32", "int8", False, "int8-weights"),
    ("uint8", "int8", False, "int8"),
    ("int8", "int8", True, "int8-dynamic"),
    ("int16", "int8", False, "int16x8"),
    ("int16", "uint16", False, "int16"),
    ("float64", "float64", False, "other"),
    ("bfloat16", "int8", False, "other"),
    ("int8", "float32", False, "other"),
]


@pytest.mark.parametrize(("activations", "weights", "dynamic", "expected"), OPERATORS)
def test_an_operators_precision_is_that_of_what_it_multiplies(
    activations, weights, dynamic, expected
):
    assert precision.of_operator(activations, weights, dynamic) == expected


def test_a_model_is_of_one_precision_or_mixed():
    assert precision.of_model({"int8": 50, "float32": 0}) == "int8"
    assert precision.of_model({"int8": 50, "float32": 1}) == "mixed"
    assert precision.of_model({}) == ""
    assert Precision({"float32": 2, "int8": 50}).text == "50 int8, 2 float32"


def test_what_changes_the_precision_is_its_cause():
    own = Precision({"float32": 50})
    assert own.cause == MODEL
    folded = own.after({"float32": 49}, "edge a")
    assert folded == Precision({"float32": 49}, MODEL)
    lowered = folded.after({"int8": 49}, "edge b")
    assert lowered == Precision({"int8": 49}, "edge b")
    assert lowered.after({"int8": 49}, "TVM's import").cause == "edge b"
    assert lowered.after({"float32": 49}, "TVM's import").cause == "TVM's import"


def test_a_precision_that_is_not_known_has_no_cause_of_its_own():
    unknown = Precision({"int8": 49}, "edge b").after({}, "edge c")
    assert (unknown.name, unknown.text, unknown.cause) == ("", "", "edge b")
    assert unknown.after({"float32": 49}, "TVM's import").cause == "edge b"


def test_a_model_that_cannot_be_described_still_runs(monkeypatch):
    monkeypatch.setattr(spot_check, "_unchecked", {})

    def broken() -> dict[str, int]:
        raise KeyError("conv1")

    assert precision.look("what it computes in", broken) == {}
    assert spot_check.details() == {"unchecked": {"what it computes in": "KeyError: 'conv1'"}}
    assert precision.look("it", lambda: {"int8": 1}) == {"int8": 1}


def test_a_cell_has_the_precision_that_its_runtime_chose(tmp_path):
    model_file = tmp_path / "model.onnx"
    model_file.write_bytes(b"12345")
    calibration = {"images": 15, "tested": 2, "checksum": "c"}
    record = {"details": precision.details(Precision({"int8": 2}, "edge q"), calibration)}

    found = lowering.describe(record, model_file, None, "a runtime")
    assert found["precision"] == "int8" and found["precision_cause"] == "edge q"
    assert found["precision_operators"] == "2 int8" and found["model_bytes"] == 5
    assert (found["calibration_images"], found["calibration_tested"]) == (15, 2)

    chosen = lowering.describe(record, model_file, {"int8": 1, "bfloat16": 1}, "a runtime")
    assert chosen["precision"] == "mixed" and chosen["precision_cause"] == "a runtime"
