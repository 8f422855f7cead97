"""The tables of small made-up studies."""

import numpy as np
import pandas as pd
import pytest

from deltann.tables import compute
from deltann.tables.study import Study
from helpers.made_up_cells import (
    CONVERTED,
    IMAGES,
    NATIVE,
    REPEATS,
    cell,
    failed,
    many,
    ran,
    row,
    study,
)


def test_conversions_are_compared_with_the_native_cell(sample):
    changed = row("conversions", sample, target="onnx", backend="native")
    assert (changed.differing, changed.n, changed.differing_images) == (1, IMAGES, "2.jpg")
    assert (changed.correct_to_wrong, changed.wrong_to_correct) == (1, 0)
    assert changed.max_logit_difference == 2
    assert changed.percent_low < changed.dissimilarity_percent < changed.percent_high
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
