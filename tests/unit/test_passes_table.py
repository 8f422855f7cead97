"""The table of graph passes, each alone, beside the published numbers."""

import numpy as np
import pandas as pd
import pytest

from deltann import summary
from deltann.tables import compute, passes
from deltann.tables.study import Study
from deltann.tvm.levels import LEVELS
from helpers.made_up_cells import (
    passes_study,
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
    assert (fold.same_code_ratio_low, fold.same_code_ratio_high) == (1, pytest.approx(1.1))
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
    assert mapped == set(LEVELS["O4"])
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
    assert "needs backends" in passes.markdown(compute.table("passes", study_).head(0))


def test_sets_of_passes_are_no_levels(tmp_path):
    sets = Study(passes_study(tmp_path))
    levels = compute.table("speedups", sets)
    assert set(levels.baseline) | set(levels.candidate) == {"O0", "O4"}
    level = compute.table("anova", sets)
    assert list(level[level.varied == "level"].compared) == ["O0;O4"]
    assert len(compute.table("published", sets)) == 132
    made = {name: compute.table(name, sets) for name in summary.TABLES}
    text, _ = summary.summary(made, sets, {}, [])
    assert "Safe to compile at: fold; fast; two\n" in text
    assert "Don't compile at (labels changed): O4 (labels of 1 of 6 images;" in text
    assert "Impossible to compile at (failed): pack (1 of 1 cell failed: compile, E)" in text


def test_what_compilations_came_to(tmp_path):
    dataset = passes_study(tmp_path)
    assert dataset.kernels.dims == ("cell",) and np.isnan(dataset.kernels[0])
    assert dataset.compile_seconds.attrs["units"] == "s"
    found = compute.table("compilations", Study(dataset)).set_index("backend")
    assert list(found.index) == ["O0", "fold", "fast", "pack", "two", "O4"]
    ran_ = found.drop("pack")
    assert set(ran_.kernels) == {9} and ran_.slow_percent.isna().all()
    assert set(ran_.compile_seconds) == {2.5} and set(ran_.code_bytes) == {5000}
    assert found.idle_passes["fast"] == "FastMathTransform" and found.idle_passes["fold"] == ""
    assert (found.status["pack"], found.passes["pack"]) == ("failed", "PackLayout")
    assert pd.isna(found.kernels["pack"])
