"""From prediction files to the dataset, the tables and the summary, on small made-up cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from deltann import registry, summary
from deltann.dataset import aggregate, predictions
from deltann.errors import StudyError
from deltann.tables import compute, passes
from deltann.tables.study import Study
from deltann.tvm.levels import PASSES
from helpers.made_up_cells import (
    BROKEN,
    CLASSES,
    CONVERTED,
    FAST,
    IMAGES,
    NATIVE,
    REPEATS,
    SLOW,
    TOLERANCES,
    cell,
    failed,
    many,
    ran,
    study,
    write,
)


@pytest.fixture
def sample(tmp_path):
    """Five cells: native, converted with one other label, two levels, and one that failed."""
    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    return study(
        tmp_path,
        [
            ran(NATIVE),
            ran(CONVERTED, logits=other),
            ran(SLOW),
            ran(FAST, latency=np.full((IMAGES, REPEATS), 0.005), probe_drift=1.3),
            failed(BROKEN),
        ],
    )


def row(name: str, dataset: xr.Dataset, **values: str) -> pd.Series:
    """The one row of a table with these values."""
    rows = compute.table(name, Study(dataset))
    for column, value in values.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_dataset_answers_in_one_line(sample):
    accuracy = (sample.label[:, :, 0] == sample.true_label).mean("image")
    assert accuracy.values == pytest.approx([1, 5 / 6, 1, 1, 0])
    differ = sample.image[
        sample.label.sel(cell=str(NATIVE), rank=0) != sample.label.sel(cell=str(CONVERTED), rank=0)
    ]
    assert differ.values.tolist() == ["2.jpg"]
    medians = sample.latency.groupby("backend").median(...)
    assert medians.sel(backend="O2") == pytest.approx(0.005)


def test_dataset_holds_failed_cells_and_integer_labels(sample):
    assert sample.label.dtype == np.int32 and sample.true_label.dtype == np.int64
    broken = sample.sel(cell=str(BROKEN))
    assert (broken.status, broken.failed_stage) == ("failed", "convert")
    assert broken.error_type == "KeyError"
    assert (broken.label == -1).all() and broken.logits.isnull().all()
    assert sample.disturbed.values.tolist() == [0, 0, 0, 1, 0]


def test_models_of_different_size_share_a_dataset(tmp_path):
    large = cell("torch", model="n")
    dataset = study(
        tmp_path, [ran(NATIVE), ran(large, 8, 12, true_label=np.arange(8) + 1), failed(BROKEN)]
    )
    assert dict(dataset.sizes) == {"cell": 3, "image": 8, "class": 12, "rank": 5, "repeat": REPEATS}
    assert dataset.true_label[0].values.tolist() == [0, 1, 2, 3, 4, 5, -1, -1]
    assert row("accuracy", dataset, model="m", target="torch").n == IMAGES
    assert row("accuracy", dataset, model="n").top1_percent == 0
    assert row("accuracy", dataset, model="n").top5_percent < 100


def test_images_in_another_order_keep_their_places(tmp_path):
    order = [4, 5, 1]
    large = cell("torch", model="n")
    logits = np.eye(IMAGES, CLASSES, dtype=np.float32)[order]
    some = {"image": np.array([f"{number}.jpg" for number in order], object), "logits": logits}
    dataset = study(tmp_path, [ran(NATIVE), ran(large, 3, true_label=np.array(order), **some)])
    assert dataset.label[1, :, 0].values.tolist() == [-1, 1, -1, -1, 4, 5]
    assert dataset.latency[1].isnull().any("repeat").values.tolist() == [1, 0, 1, 1, 0, 0]


def test_cells_of_a_model_saw_the_same_images(tmp_path):
    paths = write(tmp_path, [ran(NATIVE), ran(CONVERTED, inputs_digest="other")])
    with pytest.raises(StudyError, match="(?s)different images.*0.nc.*1.nc"):
        aggregate.aggregate(paths, tmp_path / "study.nc", TOLERANCES, "digest")
    assert not (tmp_path / "study.nc").exists()


def test_unreadable_file_is_named(tmp_path):
    paths = write(tmp_path, [ran(NATIVE)])
    paths[0].write_bytes(paths[0].read_bytes()[:1000])
    with pytest.raises(StudyError, match="0.nc: not a readable prediction file"):
        aggregate.aggregate(paths, tmp_path / "study.nc", TOLERANCES, "digest")


def test_conversions_are_compared_with_the_native_cell(sample):
    changed = row("conversions", sample, target="onnx", backend="native")
    assert (changed.differing, changed.n, changed.differing_images) == (1, IMAGES, "2.jpg")
    assert (changed.correct_to_wrong, changed.wrong_to_correct) == (1, 0)
    assert changed.max_logit_difference == 2
    assert changed.low < changed.dissimilarity_percent < changed.high
    broken = row("conversions", sample, target="keras")
    assert (broken.status, broken.failed_stage) == ("failed", "convert") and pd.isna(broken.n)
    assert row("targets", sample, target_b="keras", target_a="torch").failed == "b"


def test_speedups_have_the_papers_sign(sample):
    faster = row("speedups", sample, framework="onnx")
    assert (faster.baseline, faster.candidate, faster.disturbed) == ("O0", "O2", 1)
    assert faster.speedup_percent == pytest.approx(100)
    assert row("latency", sample, backend="O2").ratio == pytest.approx(0.5)
    assert row("latency", sample, backend="O2").median_ms == pytest.approx(5)


def test_reference_that_failed_is_said(tmp_path):
    dataset = study(tmp_path, [failed(NATIVE), ran(CONVERTED)])
    assert row("conversions", dataset).status == "no_reference"


def test_summary_says_what_failed_and_what_changed(sample):
    cells = Study(sample)
    made = {name: compute.table(name, cells) for name in registry.tables()}
    text = summary.summary(made, cells.cells, {"m": "x.jpg: not an image"}, [])
    assert "5 cells: 4 ran, 1 failed" in text
    assert "convert, KeyError, 1 cell: m from torch to keras by to_keras (1): no such layer" in text
    assert "x.jpg: not an image" in text
    changed = "1 of 6 images, 16.7 % (95 % interval 3.0 to 56.4 %): 2.jpg"
    assert f"Conversion: m from torch to onnx by to_onnx: {changed}" in text
    assert "Conversion: 1 of 2 routes change labels, 1 failed" in text
    todo = text.split("## What to do")[1].split("## ")[0]
    assert "m from torch to onnx by to_onnx (labels differ)" in todo
    assert "m from torch to keras by to_keras (failed)" in todo
    assert "to rule out 1 %, take 381" in todo
    assert "Look at the 1 image on which cells disagree" in todo
    assert "O2 is 2.00 times as fast as O0" in text
    assert str(FAST) in text.split("## Caveats")[1]


def test_summary_of_a_study_without_comparisons(tmp_path):
    cells = Study(study(tmp_path, [failed(NATIVE)]))
    made = {name: compute.table(name, cells) for name in registry.tables()}
    assert summary.summary(made, cells.cells, {}, []).count("nothing to compare") == 3


def test_a_hog_disturbs_a_cell_whose_probe_was_steady(tmp_path):
    some = [ran(SLOW, contention=0.06), ran(FAST, contention=0.04), ran(NATIVE, contention=np.nan)]
    dataset = study(tmp_path, [*some, failed(BROKEN)])
    assert dataset.disturbed.values.tolist() == [1, 0, 0, 0]
    assert dataset.contention.values[:2].tolist() == [0.06, 0.04]
    assert (dataset.probe_tolerance, dataset.contention_tolerance) == (0.15, 0.05)
    assert row("latency", dataset, backend="O0").contention == 0.06
    assert row("speedups", dataset).disturbed == 1
    cells = Study(dataset)
    made = {name: compute.table(name, cells) for name in registry.tables()}
    caveats = summary.summary(made, cells.cells, {}, []).split("## Caveats")[1]
    assert "1 cell of 4 disturbed while timed" in caveats and str(SLOW) in caveats
    assert "unknown for 1 cell:" in caveats


def test_passes_of_unlike_speed_disturb_a_cell(tmp_path):
    uneven = np.full((IMAGES, REPEATS), 0.01)
    uneven[:, 0] = 0.008
    dataset = study(tmp_path, [ran(SLOW, latency=uneven), ran(FAST), failed(BROKEN)])
    assert dataset.disturbed.values.tolist() == [1, 0, 0]
    np.testing.assert_allclose(dataset.pass_spread, [1.25, 1.0, np.nan])
    assert row("latency", dataset, backend="O0").pass_spread == pytest.approx(1.25)


def test_routes_have_an_outcome(tmp_path):
    dataset = many(tmp_path)
    routes = compute.table("routes", Study(dataset)).set_index(
        ["source", "target", "route", "preprocessing", "resizer"]
    )
    assert routes.outcome.to_dict() == {
        ("torch", "torch", "unconverted", "source", "pillow"): "reference",
        # the resizer's effect is in `inputs`: here each is compared under its own
        ("torch", "torch", "unconverted", "source", "opencv"): "reference",
        ("torch", "onnx", "to_onnx", "source", "pillow"): "identical",
        ("torch", "onnx", "other", "source", "pillow"): "logits differ",
        ("torch", "onnx", "to_onnx", "target", "pillow"): "labels differ",
        ("torch", "keras", "to_keras", "source", "pillow"): "failed",
        ("keras", "keras", "unconverted", "source", "pillow"): "reference",
    }
    broken = routes.xs("to_keras", level="route").iloc[0]
    assert (broken.failed_stage, broken.error_type) == ("convert", "KeyError")
    native = routes.iloc[0]
    assert (native.cells, native.failed_cells) == (6, 1)


def test_sources_and_preparations_are_compared(tmp_path):
    dataset = many(tmp_path)
    native = row("natives", dataset)
    assert (native.source_a, native.source_b, native.differing) == ("torch", "keras", IMAGES)
    resized = row("inputs", dataset, target="torch")
    assert (resized.resizer_a, resized.resizer_b) == ("pillow", "opencv")
    assert resized.outcome == "labels differ"
    moved = row("inputs", dataset, target="onnx")
    assert (moved.preprocessing_b, moved.differing) == ("target", IMAGES)


def test_times_hold_all_else_equal(tmp_path):
    dataset = many(tmp_path)
    same = {"model": "m", "source": "torch", "target": "torch", "resizer": "pillow"}
    native = row("latency", dataset, backend="native", **same)
    assert native.ratio == pytest.approx(0.5, rel=0.1)
    moved = row("devices", dataset, backend="O0", device="gpu")
    assert (moved.reference_device, moved.ratio) == ("cpu", pytest.approx(0.25, rel=0.1))
    converted = row("frameworks", dataset, comparison="converted", target="onnx", backend="O0")
    assert converted.ratio == pytest.approx(2, rel=0.1)
    own = row("frameworks", dataset, comparison="native", source="keras")
    assert (own.reference_framework, own.ratio) == ("torch", pytest.approx(3, rel=0.1))
    levels = compute.table("speedups", Study(dataset))
    assert levels.groupby("device").status.first().to_dict() == {"cpu": "ok", "gpu": "failed"}


def test_factors_are_tested_with_the_others_frozen(tmp_path):
    dataset = many(tmp_path)
    levels = row("anova", dataset, varied="level", device="cpu", importer="direct")
    assert (levels.compared, levels.groups, levels.n) == ("O0;O2", 2, IMAGES)
    assert (levels.test, levels.effect) == ("Wilcoxon signed-rank", 1)
    assert (levels.fastest, levels.slowest) == ("O2", "O0")
    assert levels.f > 100 and levels.eta_squared_low <= levels.eta_squared <= 1
    table = compute.table("anova", Study(dataset))
    ran_tests = table[table.p.notna()]
    assert (ran_tests.p <= ran_tests.p_holm).all()
    assert ran_tests.p_holm.min() == pytest.approx(len(ran_tests) * ran_tests.p.min())
    lost = row("anova", dataset, varied="device", backend="O2")
    assert (lost.status, lost.left_out) == ("failed", "gpu") and pd.isna(lost.f)


def test_published_numbers_stand_beside_this_runs(tmp_path):
    names = {"model": "mobilenet_v2"}
    dataset = study(
        tmp_path,
        [
            ran(cell("torch", "O0", **names)),
            ran(cell("torch", "O2", **names), latency=np.full((IMAGES, REPEATS), 0.005)),
        ],
    )
    table = compute.table("published", Study(dataset))
    assert len(table) == 132
    here = table[table.speedup_percent.notna()]
    assert set(here.table) == {"I"} and set(here.published_framework) == {"pytorch"}
    server = here[here.published_device == "server"].iloc[0]
    assert (server.speedup_percent, server.published_percent) == (pytest.approx(100), 2.8)
    assert server.difference == pytest.approx(97.2)
    assert "other devices" in server.not_comparable and f"here {IMAGES}" in server.not_comparable


def compilation(passes: tuple[str, ...], idle: str = "") -> dict:
    """What a compilation came to that left two of nine kernels unscheduled."""
    texts = {"passes": ";".join(passes), "idle_passes": idle}
    return texts | dict(compile_seconds=2.5, kernels=9.0, unscheduled=2.0, code_bytes=5000.0)


def passes_study(folder: Path) -> xr.Dataset:
    """A file compiled with no pass, with one that does something, one that doesn't, and all."""

    def compiled(backend: str, passes, milliseconds: float, idle: str = "", **changes):
        latency = np.full((IMAGES, REPEATS), milliseconds / 1000)
        # the same library where the pass changed nothing
        provenance = {"model_file": "O0" if idle == ";".join(passes) else backend}
        where = cell("torch", backend, model="inception_v3")
        details = {"provenance": provenance, "compiled": compilation(passes, idle)}
        return ran(where, latency=latency, **details, **changes)

    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    broken = cell("torch", "pack", model="inception_v3")
    error = {"failed_stage": "compile", "error": {"type": "E", "message": "", "traceback": ""}}
    asked = predictions.compilation.NOTHING | {"passes": "PackLayout"}
    return study(
        folder,
        [
            ran(cell("torch", model="inception_v3")),
            compiled("O0", (), 10),
            compiled("fold", ("FoldConstant",), 8),
            compiled("fast", ("FastMathTransform",), 11, idle="FastMathTransform"),
            predictions.failed(broken, error, "", "", {}, asked),
            compiled("two", ("FuseOps", "FoldConstant"), 7),
            compiled("O4", PASSES, 5, idle="FastMathTransform", logits=other),
        ],
    )


def test_each_pass_alone_beside_the_papers(tmp_path):
    found = compute.table("passes", Study(passes_study(tmp_path))).set_index("published_pass")
    fold, fast, every = (found.loc[name] for name in ("FoldConstant", "FastMath", "All Enabled"))
    assert (fold.ratio, fold.ratio_to_all, fold.idle) == (pytest.approx(0.8), pytest.approx(1.6), 0)
    assert fold.speedup_percent == pytest.approx(20)
    assert (fold.differing, fold.differing_to_all, fold.differing_images_to_all) == (0, 1, "2.jpg")
    assert (fold.max_logit_difference, fold.max_logit_difference_to_all) == (0, 2)
    assert (fold.same_code, fold.kernels, fold.compile_seconds) == (0, 9, 2.5)
    assert (fast.ratio, fast.idle, fast.same_code) == (pytest.approx(1.1), 1, 1)
    assert (fold.same_code_low, fold.same_code_high) == (1, pytest.approx(1.1))
    assert (every.ratio, every.differing, every.idle) == (pytest.approx(0.5), 1, 0)
    broken = found.loc["AlterOpLayout"]
    assert (broken.status, broken.failed_stage, broken.backend) == ("failed", "compile", "pack")
    assert pd.isna(broken.ratio) and pd.isna(broken.idle)
    assert "two" not in set(found.backend)
    assert found.status["OpFusion"] == "not in this run"


def test_the_papers_passes_and_numbers_are_all_there(tmp_path):
    found = compute.table("passes", Study(passes_study(tmp_path))).set_index("published_pass")
    printed = pd.read_csv("published/pass_ablation_tables.csv").query("table == 'IV'")
    assert list(found.index.drop("(not in the paper)")) == list(printed["pass"])
    for name, percent in zip(printed["pass"], printed.speedup_percent_vs_basic, strict=True):
        row = found.loc[name]
        if np.isnan(percent):
            assert row.published_status == "failed" and np.isnan(row.published_ratio)
        else:
            assert row.published_percent == percent
            assert 100 * (1 - row.published_ratio) == pytest.approx(percent, abs=0.01)
    mapped = {name for text in found.passes.drop("All Enabled") for name in text.split(";") if name}
    assert mapped == set(PASSES)
    without = found.index[found.status == "no counterpart"]
    assert list(without) == ["CanonicalizeOps", "CanonicalizeCast"]


def test_the_papers_layout_says_what_no_number_does(tmp_path):
    study_ = Study(passes_study(tmp_path))
    text = passes.markdown(compute.table("passes", study_))
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "compile failed" in lines["AlterOpLayout"] and "| failed " in lines["AlterOpLayout"]
    assert (
        "**nothing to do**" in lines["FastMath"] and "-10.0 (-10.0 to -10.0)" in lines["FastMath"]
    )
    assert "+4.90" in lines["FoldConstant"] and "+20.0" in lines["FoldConstant"]
    assert "no counterpart" in lines["CanonicalizeCast"]
    assert "nothing to do: FastMathTransform" in lines["All Enabled"]
    assert "have speedups of -10.0 to +0.0" in text
    assert "takes backends" in passes.markdown(compute.table("passes", study_).head(0))


def test_sets_of_passes_are_no_levels(tmp_path):
    sets = Study(passes_study(tmp_path))
    levels = compute.table("speedups", sets)
    assert set(levels.baseline) | set(levels.candidate) == {"O0", "O4"}
    level = compute.table("anova", sets)
    assert list(level[level.varied == "level"].compared) == ["O0;O4"]
    assert len(compute.table("published", sets)) == 132
    made = {name: compute.table(name, sets) for name in registry.tables()}
    text = summary.summary(made, sets.cells, {}, [])
    assert "Compile at O0 or below: O4 changed labels in 1 of 1 cell" in text


def test_what_compilations_came_to(tmp_path):
    dataset = passes_study(tmp_path)
    assert dataset.kernels.dims == ("cell",) and np.isnan(dataset.kernels[0])
    assert dataset.compile_seconds.attrs["units"] == "s"
    found = compute.table("compilations", Study(dataset)).set_index("backend")
    assert list(found.index) == ["O0", "fold", "fast", "pack", "two", "O4"]
    ran_ = found.drop("pack")
    assert set(ran_.kernels) == {9} and set(ran_.unscheduled) == {2}
    assert set(ran_.compile_seconds) == {2.5} and set(ran_.code_bytes) == {5000}
    assert found.idle_passes["fast"] == "FastMathTransform" and found.idle_passes["fold"] == ""
    assert (found.status["pack"], found.passes["pack"]) == ("failed", "PackLayout")
    assert pd.isna(found.kernels["pack"])


def test_summary_counts_what_no_schedule_fits(tmp_path):
    cells = Study(passes_study(tmp_path))
    made = {name: compute.table(name, cells) for name in registry.tables()}
    caveats = summary.summary(made, cells.cells, {}, []).split("## Caveats")[1]
    assert "no schedule fits 10 kernels of 45, in 5 compilations of 6" in caveats
