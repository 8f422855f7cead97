"""The findings of made-up studies: the right ones, the strongest first, each sentence true."""

import numpy as np
import pytest

from deltann import registry, summary
from deltann.dataset import predictions
from deltann.precision import UNASKED
from deltann.summary import findings, formatting
from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    CLASSES,
    CONVERTED,
    IMAGES,
    NATIVE,
    REPEATS,
    cell,
    compilation,
    failed,
    lowered,
    ran,
    study,
)

SAME = np.eye(IMAGES, CLASSES, dtype=np.float32)
FAR = SAME + np.float32(0.25)
LOW, HIGH = compilation(()), compilation(("FuseOps",))
O0, O4 = cell("torch", "O0"), cell("torch", "O4")


def wrong(*images: int) -> np.ndarray:
    """Logits with another label on these images."""
    logits = SAME.copy()
    logits[list(images), 7] = 2
    return logits


def fast(milliseconds: float) -> np.ndarray:
    return np.full((IMAGES, REPEATS), milliseconds / 1000)


def found(folder, cells: list) -> tuple[list[str], list[findings.Finding]]:
    """What the summary of a study says in short, and its findings."""
    with study(folder, cells) as dataset:
        planted = Study(dataset)
        tables = {name: compute.table(name, planted) for name in summary.TABLES}
        text, listed = summary.summary(tables, planted, {}, [])
    in_short = text.split("## In short\n\n")[1].split("\n\n## ")[0]
    return in_short.removeprefix("- ").split("\n- "), listed


def test_changed_labels_come_first_by_how_many_and_then_the_rest(tmp_path):
    cells = [
        ran(NATIVE),
        ran(CONVERTED, logits=wrong(2)),
        ran(cell("torch", resizer="opencv"), logits=wrong(1, 2, 4)),
        ran(cell("torch", device="gpu"), logits=FAR),
        ran(O0, compiled=LOW),
        ran(O4, compiled=HIGH, latency=fast(2.5)),
    ]
    in_short, listed = found(tmp_path, cells)
    assert in_short[0] == "6 cells: 6 ran, 0 failed"
    assert in_short[1] == (
        "Fastest with its own model's label on all 6 images: torch, TVM O4, pillow resize, on cpu: "
        "2.5 ms an image, 4 times as fast as torch, own runtime, pillow resize, on cpu"
    )
    texts = [finding.text for finding in listed]
    assert in_short[2:] == texts
    assert texts[0] == (
        "Resizing: OpenCV changed the label of 3 of 6 images (95 % interval 18.8 to 81.2 %); "
        "3 turned wrong, 0 right"
    )
    assert texts[1].startswith("Conversion: onnx by to_onnx changed the label of 1 of 6 images (")
    assert texts[2] == (
        "Device: no label changed, but logits by up to 25 % of an image's largest, most for gpu"
    )
    assert texts[3] == "O4 is 4 times as fast as O0"
    assert texts[4].startswith("Import into TVM, passes of TVM changed no label, and logits by at ")
    assert "2 pairs of cells over 6 images, which leaves changes of up to 39.0 %" in texts[4]
    assert len(texts) == 5
    shown = [finding.figures[0] for finding in listed]
    assert shown == ["inputs", "conversions", "backends", "speedups", "targets"]


def test_every_figure_that_a_finding_names_exists():
    named = {*findings.ANSWERS, *(name for names in findings.SHOWN_BY.values() for name in names)}
    assert named <= set(registry.figures())


def test_a_study_in_which_nothing_changed(tmp_path):
    in_short, listed = found(tmp_path, [ran(NATIVE), ran(CONVERTED)])
    (finding,) = listed
    assert finding.text.startswith("Conversion changed no label, and logits by at most 0.01 %: ")
    assert "1 pair of cells over 6 images" in finding.text
    assert len(in_short) == 3 and "the unconverted model itself" in in_short[1]


def test_a_study_in_which_everything_failed(tmp_path):
    in_short, listed = found(tmp_path, [failed(NATIVE), failed(CONVERTED)])
    assert in_short == ["2 cells: 0 ran, 2 failed", listed[0].text]
    assert listed[0].text == "All 2 cells failed at convert, KeyError: no such layer"
    assert len(listed) == 1


def test_the_largest_cause_of_failures_is_named_among_the_changes(tmp_path):
    def broke(where, message: str):
        error = {"type": "E", "message": message, "traceback": ""}
        return predictions.failed(where, {"failed_stage": "compile", "error": error}, "", "", {})

    cells = [
        *(ran(NATIVE), ran(CONVERTED, logits=wrong(0, 1, 2))),
        *(broke(cell("torch", "O0"), "rare"), broke(cell("torch", "O2"), "often {b, a}")),
        *(broke(cell("torch", "O4"), "often {a, b}"), ran(cell("keras")), ran(cell("tflite"))),
    ]
    in_short, listed = found(tmp_path, cells)
    assert in_short[0] == "7 cells: 4 ran, 3 failed"
    assert listed[1].text == "3 of 7 cells failed, by 2 causes: 2 at compile, E: often {a, b}"
    assert listed[0].text.startswith("Conversion: onnx by to_onnx changed the label of 3 of 6")


def test_images_without_labels_are_not_said_to_turn_wrong(tmp_path):
    unlabelled = {"true_label": np.full(IMAGES, -1)}
    cells = [ran(NATIVE, **unlabelled), ran(CONVERTED, logits=wrong(2), **unlabelled)]
    in_short, listed = found(tmp_path, cells)
    assert "changed the label of 1 of 6 images" in listed[0].text
    assert not any("wrong" in line or "right" in line for line in in_short)


@pytest.mark.parametrize(
    ("changes", "excluded"),
    [
        ({"where": cell("torch", preprocessing="imagenet")}, "imagenet"),
        ({"lowered": lowered("int8", "edge q", calibration_tested=3.0)}, "onnx by to_onnx"),
        ({"logits": wrong(1)}, "onnx by to_onnx"),
    ],
)
def test_no_cell_is_recommended_that_has_a_fault(changes, excluded, tmp_path):
    """In a wrong convention, calibrated on tested images, or with another label."""
    where = changes.pop("where", CONVERTED)
    in_short, _ = found(tmp_path, [ran(NATIVE), ran(where, latency=fast(1), **changes)])
    assert in_short[1] == (
        "Fastest with its own model's label on all 6 images: torch, own runtime: 10 ms an image, "
        "the unconverted model itself"
    )
    assert excluded not in in_short[1]


@pytest.mark.parametrize("logits", [FAR, wrong(3)])
def test_a_precision_that_nobody_asked_for_is_a_finding(logits, tmp_path):
    chosen = lowered("bfloat16", f"{UNASKED}onnx's runtime")
    cells = [ran(NATIVE), ran(cell("torch", route="x"), logits=logits, lowered=chosen)]
    _, listed = found(tmp_path, cells)
    (text,) = [finding.text for finding in listed if "Nobody" in finding.text]
    start = "Nobody asked for bfloat16: it is the default of onnx's runtime, in 1 cell; "
    expected = "it changed the label of 1 of 6 images"
    if logits is FAR:
        expected = "no label changed, but logits by up to 25 % of an image's largest"
    assert text == start + expected


def test_disturbed_timings_are_marked(tmp_path):
    disturbed = {"probe_drift": 2.0}
    cells = [ran(NATIVE, **disturbed), *(ran(O0, compiled=LOW, **disturbed),)]
    cells.append(ran(O4, compiled=HIGH, latency=fast(5), **disturbed))
    in_short, _ = found(tmp_path, cells)
    assert "O4 is 2 times as fast as O0 (disturbed timings)" in in_short
    assert "on all 6 images (disturbed timings): torch, TVM O4" in in_short[1]


def test_what_a_factor_changes_is_counted_in_the_models_own_convention(tmp_path):
    """A wrong convention has close calls of its own, which are its doing."""
    answers = {("source", False): SAME, ("imagenet", False): wrong(1)}
    answers |= {("source", True): wrong(2), ("imagenet", True): wrong(1, 2, 3, 4)}
    quantized = {"lowered": lowered("int8", "edge lowered")}
    cells = [
        ran(
            cell("torch", preprocessing=name, **({"route": "lowered"} if lower else {})),
            logits=logits,
            **(quantized if lower else {}),
        )
        for (name, lower), logits in answers.items()
    ]
    in_short, _ = found(tmp_path, cells)
    (said,) = [line for line in in_short if line.startswith("Precision: ")]
    assert "changed the label of 1 of 6 images" in said and "pairs" not in said, said


@pytest.mark.parametrize(
    ("value", "text"),
    [(1290.4, "1290"), (123456, "123000"), (2.5, "2.5"), (12.04, "12"), (0.003124, "0.00312")],
)
def test_milliseconds_have_three_digits_and_no_exponent(value, text):
    assert formatting.digits(value) == text
