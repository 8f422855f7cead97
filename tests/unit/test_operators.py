"""Cases of operators, the loop over them, what counts as wrong, and the plan of a sweep."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deltann import interpreter
from deltann.errors import StudyError
from deltann.operators import case, judge, loop, matrix, words
from deltann.operators.bundle import Bundle, opened
from deltann.operators.onnx_references import pad, softmax_11
from deltann.operators.onnx_resize import resize
from deltann.operators.outcome import CRASHED, OK, REFUSED, Outcome
from deltann.study import operators, schema

KINDS = schema.load()["properties"]["operators"]["properties"]["kinds"]["items"]["enum"]
CONFIG = {"edges": {}, "pass_sets": {}, "runtimes": {"plain": {"framework": "tflite"}}}
EXPECTED = {
    name: np.arange(24, dtype=np.float64).reshape(1, 2, 3, 4)
    for name in ("reference", "single", "moved", "half", "rounded")
}


def config(*entries: dict) -> dict:
    return CONFIG | {"operators": {"routes": {"torch": list(entries)}}}


@pytest.mark.parametrize("name", case.SOURCES)
def test_cases_have_names_of_their_own_and_known_kinds(name):
    found = list(case.source(name).cases())
    assert len(found) > 200
    assert max(Counter(item.name for item in found).values()) == 1
    assert {item.kind for item in found} <= set(KINDS)
    assert all("/" not in item.name for item in found)


def test_every_kind_of_the_schema_has_cases():
    found = {item.kind for name in case.SOURCES for item in case.source(name).cases()}
    assert found == set(KINDS)


def test_a_case_has_the_same_inputs_each_time_also_after_json():
    item = next(case.source("onnx").cases())
    copy = case.of_fields(item.fields())
    assert np.array_equal(item.inputs(), copy.inputs())
    assert item.inputs().shape == (1 + case.CALIBRATION, *item.shape)


def test_a_crash_and_a_hang_are_booked_for_their_case_only(monkeypatch):
    with_package = interpreter.with_package
    tests = str(Path(__file__).parents[1])

    def variables(given):
        found = with_package(given)
        return found | {"PYTHONPATH": f"{found['PYTHONPATH']}:{tests}"}

    monkeypatch.setattr(interpreter, "with_package", variables)
    monkeypatch.setattr(loop, "WORKER", "helpers.odd_worker")
    monkeypatch.setattr(loop, "START_SECONDS", 20)
    hows = ["well", "raise", "crash", "well", "hang", "well"]
    items = [(f"{number}", {"how": how}) for number, how in enumerate(hows)]
    found = list(loop.run("odd", {}, items, 1).values())
    statuses = [OK, REFUSED, CRASHED, OK, CRASHED, OK]
    assert [outcome.status for outcome in found] == statuses
    assert (found[1].type, found[2].type, found[4].type) == ("KeyError", "SIGSEGV", "TimeLimit")


def test_rounding_is_right_and_more_is_wrong():
    reference = EXPECTED["reference"]
    slightly = judge.judge(reference.astype(np.float32) * (1 + 1e-6), EXPECTED, "float32", False)
    clearly = judge.judge(reference * (1 + 1e-4), EXPECTED, "float32", False)
    assert (slightly.status, clearly.status) == (judge.RIGHT, judge.WRONG)
    assert clearly.error == pytest.approx(1e-4)


def test_the_tolerance_follows_the_measured_floor():
    moved = EXPECTED | {"moved": EXPECTED["reference"] * (1 + 1e-4)}
    assert judge.judge(EXPECTED["reference"] * 1.001, moved, "float32", False).status == judge.RIGHT
    assert judge.tolerance(EXPECTED, "int8") == pytest.approx(judge.EIGHTS / 255)


def test_another_order_of_the_axes_is_right_only_where_converters_move_them():
    last = EXPECTED["reference"].transpose(0, 2, 3, 1)
    assert judge.judge(last, EXPECTED, "float32", True).status == judge.RIGHT
    verdict = judge.judge(last, EXPECTED, "float32", False)
    assert (verdict.status, verdict.error) == (judge.WRONG, np.inf)
    assert verdict.note == "shape [1, 3, 4, 2], not [1, 2, 3, 4]"


def test_numbers_that_are_not_finite_are_wrong():
    broken = EXPECTED["reference"].copy()
    broken[0, 0, 0, 0] = np.nan
    assert judge.judge(broken, EXPECTED, "float32", False).status == judge.WRONG


def test_references_follow_the_specification():
    row = np.arange(5, dtype=np.float64).reshape(1, 1, 1, 5)
    by_scale = resize(
        row, None, [1, 1, 1, 1.75], None, "linear", coordinate_transformation_mode="asymmetric"
    )
    assert np.allclose(by_scale.ravel(), np.interp(np.arange(8) / 1.75, np.arange(5), row.ravel()))
    assert softmax_11(np.zeros((1, 2, 3, 4)), 1).ravel() == pytest.approx([1 / 24] * 24)
    assert pad(row, [0, 0, 0, -1, 0, 0, 0, 2]).ravel().tolist() == [1, 2, 3, 4, 0, 0]


def test_a_bundle_survives_its_file(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    item = next(case.source("torch").cases())
    (folder / f"{item.name}.pt2").write_bytes(b"model")
    outcome = Outcome(OK, seconds=0.5)
    Bundle(folder, {item.name: item}, {item.name: outcome}).write(tmp_path / "bundle.tar")
    with opened(tmp_path / "bundle.tar") as read:
        assert read.cases == {item.name: item}
        assert read.outcomes == {item.name: outcome}
        assert read.path(item.name, ".pt2").read_bytes() == b"model"


def test_a_way_knows_what_its_numbers_are_rounded_to():
    entries = [
        {"route": [], "backends": ["native", "O0"]},
        {"route": ["torch_onnx", "onnx2tf"], "backends": ["native"]},
        {"route": ["torch_onnx", "ort_static"], "backends": ["native"]},
        {"route": ["torch_onnx", "onnx_float16"], "backends": ["native"]},
    ]
    ways = list(operators.ways(config(*entries)))
    assert [way.precision for way in ways] == ["float32", "float32", "int8", "float16"]
    assert [way.moves for way in ways] == [False, True, False, False]
    assert len(operators.answers(config(*entries))) == 5
    operators.check(config(*entries))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"route": ["onnx2tf"], "backends": ["native"]}, "'onnx2tf' takes onnx.*takes torch"),
        ({"route": ["torch2onnx"], "backends": ["native"]}, "unknown converter 'torch2onnx'"),
        ({"route": [], "backends": ["O9"]}, "unknown backend or level 'O9'"),
        ({"route": ["torch_openvino"], "backends": ["O0"]}, "'O0' with models of openvino"),
        ({"route": [], "backends": ["plain"]}, "'plain' runs models of tflite.*runtime of torch"),
    ],
)
def test_a_plan_without_sense_is_refused(entry, message):
    with pytest.raises(StudyError, match=message):
        operators.check(config(entry))


def row(route: str, backend: str, status: str) -> dict:
    named = {"source": "torch", "kind": "resize", "case": "a", "route": route, "backend": backend}
    return dict.fromkeys(matrix.COLUMNS, "") | named | {"status": status, "error": 1.0}


def test_a_wrong_answer_is_blamed_on_the_step_where_it_begins():
    rows = [
        row("unconverted", "native", "right"),
        row("torch_onnx", "native", "wrong"),
        row("torch_onnx", "O0", "wrong"),
        row("torch_onnx+onnx2tf", "native", "wrong"),
    ]
    table = pd.DataFrame(rows)
    table["begins"] = matrix.begins(table)
    assert list(table["begins"]) == [False, True, False, False]
    text = words.summary(table)
    assert "**torch_onnx, native** (models of torch): resize, 1 of 1 (error 1): `a`" in text
    assert "onnx2tf, native" not in text
    counted = matrix.counts(table)
    assert list(counted["wrong"]) == [0, 1, 1, 1]
