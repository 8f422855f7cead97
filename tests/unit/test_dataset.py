"""From prediction files to the dataset of a study, on small made-up cells."""

import numpy as np
import pytest

from deltann import summary
from deltann.dataset import aggregate
from deltann.errors import StudyError
from deltann.tables import compute
from deltann.tables.study import Study
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
    ran,
    row,
    study,
    write,
)


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


def test_a_hog_disturbs_a_cell_whose_probe_was_steady(tmp_path):
    some = [ran(SLOW, contention=0.06), ran(FAST, contention=0.04), ran(NATIVE, contention=np.nan)]
    dataset = study(tmp_path, [*some, failed(BROKEN)])
    assert dataset.disturbed.values.tolist() == [1, 0, 0, 0]
    assert dataset.contention.values[:2].tolist() == [0.06, 0.04]
    assert (dataset.probe_tolerance, dataset.contention_tolerance) == (0.15, 0.05)
    assert row("latency", dataset, backend="O0").contention == 0.06
    assert row("speedups", dataset).disturbed == 1
    cells = Study(dataset)
    made = {name: compute.table(name, cells) for name in summary.TABLES}
    caveats = summary.summary(made, cells, {}, [])[0].split("## Caveats")[1]
    assert "1 cell of 4 disturbed while timed" in caveats and "onnx by to_onnx, TVM O0" in caveats
    assert "unknown for 1 cell:" in caveats


def test_passes_of_unlike_speed_disturb_a_cell(tmp_path):
    uneven = np.full((IMAGES, REPEATS), 0.01)
    uneven[:, 0] = 0.008
    dataset = study(tmp_path, [ran(SLOW, latency=uneven), ran(FAST), failed(BROKEN)])
    assert dataset.disturbed.values.tolist() == [1, 0, 0]
    np.testing.assert_allclose(dataset.pass_spread, [1.25, 1.0, np.nan])
    assert row("latency", dataset, backend="O0").pass_spread == pytest.approx(1.25)
