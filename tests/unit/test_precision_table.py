"""The table of precisions: what changed, and the float32 sibling that each time is held against."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from deltann.tables import compute
from deltann.tables.study import Study
from deltann.tvm.levels import LOWERING
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
    row,
    study,
)

Z = 1.959963984540054
RUNTIME = {"importer": "none", "compiler": "runtime", "schedule": "runtime"}


def in_precision(where, precision, milliseconds=10.0, **changes):
    """A cell that ran in a precision."""
    latency = np.full((IMAGES, REPEATS), milliseconds / 1000)
    causes = lowered(precision, f"edge {where.route}", model_bytes=250.0)
    return ran(where, latency=latency, lowered=causes, **changes)


def on_route(*edges, target="onnx", backend="native", **names):
    """A cell by a route; a backend that isn't a level of TVM's is a runtime's."""
    runtime = {} if backend.startswith("O") or backend == "half" else RUNTIME
    return cell(target, backend, route="+".join(edges), **runtime, **names)


def siblings(tmp_path, *datasets) -> dict[str, tuple[str, str]]:
    """Per cell that isn't float32: the status, and the route and backend of its sibling."""
    table = compute.table("precision", Study(study(tmp_path, [ran(NATIVE), *datasets])))
    found = {}
    for _, one in table[table.precision != "float32"].iterrows():
        names = one.sibling.split("/") if isinstance(one.sibling, str) else []
        found[f"{one.route} {one.backend}"] = (one.sibling_status, *names[3:4], *names[9:10])
    return found


def test_what_a_precision_changes(tmp_path):
    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    rng = np.random.default_rng(0)
    slow, fast = (0.01 * k * rng.uniform(0.9, 1.1, (IMAGES, REPEATS)) for k in (1, 0.5))
    quantized = on_route("to_onnx", "ort_static")
    made = study(
        tmp_path,
        [
            ran(NATIVE),
            ran(CONVERTED, latency=slow, probe_drift=1.3),
            ran(
                quantized,
                logits=other,
                latency=fast,
                lowered=lowered("int8", "edge ort_static", model_bytes=250.0),
            ),
            failed(on_route("to_onnx", "ort_dynamic")),
        ],
    )
    found = row("precision", made, precision="int8")
    assert (found.precision_operators, found.precision_cause) == ("2 int8", "edge ort_static")
    assert (found.model_bytes, found.outcome) == (250, "labels differ")
    assert (found.n, found.differing, found.differing_images) == (IMAGES, 1, "2.jpg")
    assert found.dissimilarity_percent == pytest.approx(100 / IMAGES)
    assert (found.percent_low, found.percent_high) == pytest.approx(wilson(1, IMAGES))
    assert (found.max_logit_difference, found.max_relative_logit_difference) == (2, 2)
    assert (found.n_labelled, found.top1_correct) == (IMAGES, IMAGES - 1)
    assert (found.top1_percent_low, found.top1_percent_high) == pytest.approx(
        wilson(IMAGES - 1, IMAGES)
    )
    assert (found.correct_to_wrong, found.wrong_to_correct, found.mcnemar_p) == (1, 0, 1)
    assert found.median_ms == pytest.approx(1000 * np.median(np.median(fast, axis=1)))
    assert found.ms_low <= found.median_ms <= found.ms_high
    times = [np.median(seconds, axis=1).sum() for seconds in (slow, fast)]
    assert found.ratio == pytest.approx(times[1] / times[0])
    assert found.ratio_low < found.ratio < found.ratio_high
    assert (found.disturbed, found.sibling_disturbed, found.sibling_status) == (0, 1, "ok")
    assert found.sibling == CONVERTED.path and found.reference == NATIVE.path
    broken = row("precision", made, status="failed")
    assert (broken.outcome, broken.precision, broken.failed_stage) == ("failed", "", "convert")
    assert pd.isna(broken[["sibling_status", "ratio", "model_bytes", "n", "median_ms"]]).all()


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval in percent."""
    share = hits / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return 100 * (centre - half), 100 * (centre + half)


def test_the_reference_agrees_with_itself_and_is_its_own_sibling(tmp_path):
    native = row("precision", study(tmp_path, [ran(NATIVE)]))
    assert (native.outcome, native.differing, native.n) == ("reference", 0, IMAGES)
    assert (native.sibling_status, native.top1_percent) == ("float32 itself", 100)
    assert pd.isna(
        native[["percent_low", "percent_high", "sibling", "ratio", "sibling_disturbed"]]
    ).all()


def test_without_its_reference_a_cell_still_has_times_and_accuracy(tmp_path):
    made = study(tmp_path, [failed(NATIVE), ran(CONVERTED)])
    found = row("precision", made, target="onnx")
    assert (found.status, found.outcome) == ("ok", "no_reference")
    assert (found.top1_percent, found.median_ms) == (100, pytest.approx(10))
    assert pd.isna(found[["n", "differing", "mcnemar_p"]]).all()


def test_accuracy_is_empty_where_no_label_is_known(tmp_path):
    unknown = {"true_label": np.full(IMAGES, -1)}
    found = row("precision", study(tmp_path, [ran(NATIVE, **unknown)]))
    assert pd.isna(found[["n_labelled", "top1_percent", "top1_percent_low", "mcnemar_p"]]).all()


def test_the_sibling_shares_most_edges_from_the_start(tmp_path):
    found = siblings(
        tmp_path,
        ran(on_route("a", "x")),
        ran(on_route("b", "c", "d")),
        ran(on_route("b", "c")),
        ran(on_route("b")),
        in_precision(on_route("b", "c", "int8"), "int8"),
        in_precision(on_route("b", "int8"), "int8"),
        in_precision(on_route("c", "int8"), "int8"),
    )
    assert found == {
        # two shared edges, and the first of two routes with them
        "b+c+int8 native": ("ok", "b+c+d", "native"),
        "b+int8 native": ("ok", "b+c+d", "native"),
        # none shares an edge
        "c+int8 native": ("ok", "a+x", "native"),
    }


def test_a_runtime_that_isnt_float32_is_held_against_its_other_settings(tmp_path):
    found = siblings(
        tmp_path,
        in_precision(on_route("a"), "bfloat16"),
        ran(on_route("a", backend="other-f32")),
        in_precision(on_route("a", "int8"), "int8"),
        in_precision(on_route("a", "int8", backend="other-f32"), "int8"),
        in_precision(on_route("k", target="keras"), "bfloat16"),
    )
    assert found["a native"] == ("ok", "a", "other-f32")
    assert found["k native"] == ("not in the study",)  # of another framework
    assert found["a+int8 native"] == ("ok", "a", "other-f32")
    assert found["a+int8 other-f32"] == ("ok", "a", "other-f32")


def test_a_runtimes_own_backend_comes_first(tmp_path):
    found = siblings(
        tmp_path,
        ran(on_route("a", backend="slow")),
        ran(on_route("b")),
        in_precision(on_route("a", "int8"), "int8"),
    )
    assert found == {"a+int8 native": ("ok", "b", "native")}


def test_tvms_sibling_has_its_level_and_its_whole_compilation(tmp_path):
    level = {"backend": "O4"}
    found = siblings(
        tmp_path,
        ran(on_route("a")),
        ran(on_route("a", backend="O0")),
        ran(on_route("a", **level)),
        in_precision(on_route("a", "int8", **level), "int8"),
        in_precision(
            on_route("a", "int8", backend="O2"), "int8", compiled=compilation(("FuseOps",))
        ),
    )
    assert found == {
        "a+int8 O4": ("ok", "a", "O4"),
        "a+int8 O2": ("not in the study",),
    }
    other = siblings(
        tmp_path,
        ran(on_route("a", **level)),
        in_precision(on_route("a", "int8", **level, schedule="none"), "int8"),
    )
    assert other == {"a+int8 O4": ("not in the study",)}


def test_the_pass_that_lowers_the_precision_has_the_same_passes_without_it(tmp_path):
    others = ("FuseOps", "FoldConstant")
    found = siblings(
        tmp_path,
        ran(on_route("a", backend="O0"), compiled=compilation(())),
        ran(on_route("a", backend="O2"), compiled=compilation(others)),
        in_precision(
            on_route("a", backend="half"), "float16", compiled=compilation((*others, LOWERING))
        ),
    )
    assert found == {"a half": ("ok", "a", "O2")}


@pytest.mark.parametrize(
    "changed", [{"device": "gpu"}, {"resizer": "opencv"}, {"preprocessing": "target"}]
)
def test_a_cell_that_differs_in_more_is_no_sibling(tmp_path, changed):
    quantized = in_precision(on_route("a", "int8", **changed), "int8")
    assert siblings(tmp_path, ran(on_route("a")), quantized) == {
        "a+int8 native": ("not in the study",)
    }


def test_a_sibling_that_failed_is_none(tmp_path):
    quantized = in_precision(on_route("a", "int8"), "int8")
    found = siblings(tmp_path, failed(on_route("a")), quantized)
    assert found["a+int8 native"] == ("not in the study",)
