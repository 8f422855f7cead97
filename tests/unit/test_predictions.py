"""The prediction file: what goes in comes out, and nothing else is taken for one."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy.special import softmax

from deltann.dataset import prediction_schema, predictions
from deltann.errors import StudyError
from helpers.one_cell import CELL, CLASSES, IMAGES, INPUTS, RECORD, dataset, spoilt


@pytest.fixture
def path(tmp_path):
    """Where a prediction file may be written."""
    return tmp_path / "predictions" / "cell.nc"


def test_what_is_written_is_read(path):
    written = dataset()
    predictions.write(written, path)
    read = predictions.read(path)
    assert len(read.attrs.pop("checksum")) == 64
    xr.testing.assert_identical(read, written)
    for name, (dimensions, dtype) in prediction_schema.VARIABLES.items():
        assert read[name].dims == dimensions
        assert read[name].dtype == dtype
    assert read.model.item() == "efficientnet_lite0"
    assert read.backend.item() == "O2"
    assert read.status == "ok"
    assert json.loads(read.provenance) == {"weights": "abc", "threads": 2}
    assert [item.name for item in path.parent.iterdir()] == ["cell.nc"]


def parts_of(written: xr.Dataset, *bounds: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Logits and latencies of some images, and then of others."""
    variables = [written[name].values for name in ("logits", "latency")]
    return [tuple(values[start:stop] for values in variables) for start, stop in bounds]


def test_what_is_written_in_parts_is_the_same(path, tmp_path):
    written = dataset()
    about = [CELL, written.attrs, list(written.image.values), written.true_label.values]
    predictions.write_parts(path, *about, iter(parts_of(written, (0, 2), (2, 3))))
    read = predictions.read(path)
    assert read["part"].values.tolist() == [0, 0, 1]
    whole = tmp_path / "whole.nc"
    predictions.write_parts(whole, *about, parts_of(written, (0, 3)))
    xr.testing.assert_equal(read.drop_vars("part"), predictions.read(whole).drop_vars("part"))
    predictions.write(written, tmp_path / "at once.nc")
    xr.testing.assert_identical(predictions.read(whole), predictions.read(tmp_path / "at once.nc"))


@pytest.mark.parametrize(
    ("bounds", "name", "value", "message"),
    [
        ([(0, 2)], "logits", 0.5, "predictions of 2 images; expected 3"),
        ([], "logits", 0.5, "predictions of 0 images; expected 3"),
        ([(0, 2), (2, 3)], "logits", np.nan, "logits that are not finite"),
        ([(0, 2), (2, 3)], "latency", 0.0, "latencies that are not positive"),
    ],
)
def test_parts_that_do_not_fit_are_not_written(path, bounds, name, value, message):
    bad = spoilt(name, value)
    about = [CELL, bad.attrs, list(bad.image.values), bad.true_label.values]
    with pytest.raises(StudyError, match=message):
        predictions.write_parts(path, *about, parts_of(bad, *bounds))
    assert not list(path.parent.iterdir())


def test_plain_xarray_opens_it(path):
    predictions.write(dataset(), path)
    with xr.open_dataset(path) as opened:
        assert opened["latency"].attrs["units"] == "s"
        assert opened["logits"].sel(image="a.jpg").shape == (CLASSES,)


def test_the_best_ranks_come_first():
    logits = dataset()["logits"].values
    label, probability = predictions.rank(logits)
    assert label.shape == probability.shape == (IMAGES, 5)
    assert label.dtype == np.int32
    assert probability.dtype == np.float32
    for row, values in zip(label, logits, strict=True):
        assert row.tolist() == sorted(range(CLASSES), key=lambda index: -values[index])[:5]
    exact = softmax(logits.astype(np.float64), axis=1)
    assert np.allclose(probability, np.take_along_axis(exact, label, 1), rtol=1e-6, atol=0)


def test_equal_logits_rank_by_class():
    logits = np.array([[1, 2, 2, 0, 2, 1], [0, 0, 0, 0, 0, 0]], np.float32)
    label, probability = predictions.rank(logits)
    assert label.tolist() == [[1, 2, 4, 0, 5], [0, 1, 2, 3, 4]]
    assert np.allclose(probability[1], 1 / 6)
    many, _ = predictions.rank(np.tile(np.array([0, 1], np.float32), (2, 500)))
    assert many.tolist() == [[1, 3, 5, 7, 9]] * 2


@pytest.mark.parametrize("scale", [1e-30, 100.0, 1e4, 3e38])
def test_extreme_logits_give_probabilities(scale):
    logits = np.array([[-1, 0, 1, 0.5, 0.25]], np.float32) * np.float32(scale)
    label, probability = predictions.rank(logits)
    exact = softmax(logits.astype(np.float64), axis=1)
    assert np.isfinite(probability).all()
    assert np.allclose(probability, np.take_along_axis(exact, label, 1), rtol=1e-6, atol=1e-30)


def test_fewer_classes_than_ranks_are_all_ranked(path):
    label, _ = predictions.rank(np.array([[0, 2, 1]], np.float32))
    assert label.tolist() == [[1, 2, 0]]


def test_a_failed_cell_says_where_and_why(path):
    predictions.write(predictions.failed(CELL, RECORD, INPUTS, "1" * 64, {"threads": 2}), path)
    read = predictions.read(path)
    assert (read.status, read.failed_stage, read.error_type) == (
        "failed",
        "convert",
        "RuntimeError",
    )
    assert read.error_message == "no Swish: été"
    assert json.loads(read.provenance) == {
        "threads": 2,
        "traceback": "Traceback ...",
        "failed_file": "",
    }
    assert read.target.item() == "onnx"
    assert not read.data_vars


def test_writing_twice_gives_the_same_predictions(path, tmp_path):
    predictions.write(dataset(), path)
    predictions.write(dataset(), tmp_path / "again.nc")
    first, again = predictions.read(path), predictions.read(tmp_path / "again.nc")
    for name in ("logits", "label", "probability"):
        assert first[name].values.tobytes() == again[name].values.tobytes()
