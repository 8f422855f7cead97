"""From prediction files to the dataset, the tables and the summary, on small made-up cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from deltann import aggregate, predictions, summary, tables
from deltann.cell import Cell
from deltann.errors import StudyError

IMAGES, CLASSES, REPEATS = 6, 10, 3


def cell(target: str, backend: str = "native", **names: str) -> Cell:
    """A cell of model m from torch, by one route and import, on the CPU; or with other names."""
    source = names.get("source", "torch")
    known = {
        "model": "m",
        "source": source,
        "target": target,
        "route": "unconverted" if target == source else f"to_{target}",
        "preprocessing": "source",
        "resizer": "pillow",
        "importer": "none" if backend == "native" else "direct",
        "backend": backend,
        "device": "cpu",
    }
    return Cell(**known | names)


NATIVE = cell("torch")
CONVERTED = cell("onnx")
SLOW, FAST = cell("onnx", "O0"), cell("onnx", "O2")
BROKEN = cell("keras")


def ran(cell: Cell, images: int = IMAGES, classes: int = CLASSES, **changes) -> xr.Dataset:
    """A cell that ran; image k's answer is k, which is right, and each image takes 10 ms."""
    arguments = {
        "logits": np.eye(images, classes, dtype=np.float32),
        "latency": np.full((images, REPEATS), 0.01),
        "image": np.array([f"{k}.jpg" for k in range(images)]),
        "true_label": np.arange(images),
        "inputs": f"{cell.model}/{cell.resizer}",
        "inputs_digest": cell.model,
        "probe_drift": 1.0,
        "provenance": {},
    }
    return predictions.succeeded(cell, **arguments | changes)


def failed(cell: Cell) -> xr.Dataset:
    """A cell whose conversion failed."""
    error = {"type": "KeyError", "message": "no such layer", "traceback": ""}
    return predictions.failed(cell, {"failed_stage": "convert", "error": error}, "", "", {})


def write(folder: Path, datasets: list[xr.Dataset]) -> list[Path]:
    """Prediction files of these cells, in this order."""
    paths = [folder / f"{number}.nc" for number in range(len(datasets))]
    for dataset, path in zip(datasets, paths, strict=True):
        predictions.write(dataset, path)
    return paths


def study(folder: Path, datasets: list[xr.Dataset]) -> xr.Dataset:
    """The study dataset of these cells, opened as a user would."""
    aggregate.aggregate(write(folder, datasets), folder / "study.nc", 0.15, "digest")
    return xr.open_dataset(folder / "study.nc")


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
    rows = tables.table(name, tables.Study(dataset))
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
    assert (broken.status, broken.failed_stage, broken.error_type) == (
        "failed",
        "convert",
        "KeyError",
    )
    assert (broken.label == -1).all() and broken.logits.isnull().all()
    assert sample.drifted.values.tolist() == [0, 0, 0, 1, 0]


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


def test_cells_of_a_model_saw_the_same_images(tmp_path):
    paths = write(tmp_path, [ran(NATIVE), ran(CONVERTED, inputs_digest="other")])
    with pytest.raises(StudyError, match="(?s)different images.*0.nc.*1.nc"):
        aggregate.aggregate(paths, tmp_path / "study.nc", 0.15, "digest")
    assert not (tmp_path / "study.nc").exists()


def test_unreadable_file_is_named(tmp_path):
    paths = write(tmp_path, [ran(NATIVE)])
    paths[0].write_bytes(paths[0].read_bytes()[:1000])
    with pytest.raises(StudyError, match="0.nc: not a readable prediction file"):
        aggregate.aggregate(paths, tmp_path / "study.nc", 0.15, "digest")


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
    assert (faster.baseline, faster.candidate, faster.drifted) == ("O0", "O2", 1)
    assert faster.speedup_percent == pytest.approx(100)
    assert row("latency", sample, backend="O2").ratio == pytest.approx(0.5)
    assert row("latency", sample, backend="O2").median_ms == pytest.approx(5)


def test_reference_that_failed_is_said(tmp_path):
    dataset = study(tmp_path, [failed(NATIVE), ran(CONVERTED)])
    assert row("conversions", dataset).status == "no_reference"


def test_summary_says_what_failed_and_what_changed(sample):
    cells = tables.Study(sample)
    made = {name: tables.table(name, cells) for name in tables.MAKERS}
    text = summary.summary(made, cells.cells, {"m": "x.jpg: not an image"}, [])
    assert "5 cells: 4 ran, 1 failed" in text
    assert "convert, KeyError, 1 cell: m from torch to keras (1): no such layer" in text
    assert "x.jpg: not an image" in text
    assert "1 of 6 images, 16.7 % (95 % interval 3.0 to 56.4 %): 2.jpg" in text
    assert "O2 is 2.00 times as fast as O0" in text
    assert str(FAST) in text.split("## Caveats")[1]


def test_summary_of_a_study_without_comparisons(tmp_path):
    cells = tables.Study(study(tmp_path, [failed(NATIVE)]))
    made = {name: tables.table(name, cells) for name in tables.MAKERS}
    assert summary.summary(made, cells.cells, {}, []).count("nothing to compare") == 3
