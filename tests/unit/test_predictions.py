"""The prediction file: what goes in comes out, and nothing else is taken for one."""

import json

import h5netcdf
import numpy as np
import pytest
import xarray as xr
from scipy.special import softmax

from deltann.cell import Cell
from deltann.dataset import predictions
from deltann.errors import StudyError
from deltann.provenance import netcdf_digest

INPUTS = "256-224-bicubic/pillow"
CELL = Cell(
    *("efficientnet_lite0", "torch", "onnx", "torch_onnx", "source", "pillow"),
    *("direct", "tvm", "rules", "O2", "cpu"),
)
IMAGES, CLASSES, REPEATS = 3, 12, 4
RECORD = {
    "status": "failed",
    "failed_stage": "convert",
    "error": {"type": "RuntimeError", "message": "no Swish: été", "traceback": "Traceback ..."},
}


def dataset() -> xr.Dataset:
    """What a runner measured, as a prediction dataset."""
    chance = np.random.default_rng(0)
    return predictions.succeeded(
        CELL,
        logits=chance.normal(size=(IMAGES, CLASSES)).astype(np.float32),
        latency=chance.uniform(0.001, 0.01, (IMAGES, REPEATS)),
        image=np.array(["a.jpg", "it's été 猫.jpg", "-c.jpg"]),
        true_label=np.array([3, -1, 11]),
        inputs=INPUTS,
        inputs_digest="0" * 64,
        probe_drift=1.02,
        contention=0.01,
        provenance={"weights": "abc", "threads": 2},
    )


@pytest.fixture
def path(tmp_path):
    """Where a prediction file may be written."""
    return tmp_path / "predictions" / "cell.nc"


def refused(path, match: str) -> None:
    """The file is refused with one message that names it."""
    with pytest.raises(StudyError, match=match) as caught:
        predictions.read(path)
    assert str(path) in str(caught.value)


def test_what_is_written_is_read(path):
    written = dataset()
    predictions.write(written, path)
    read = predictions.read(path)
    assert len(read.attrs.pop("digest")) == 64
    xr.testing.assert_identical(read, written)
    for name, (dimensions, dtype) in predictions.VARIABLES.items():
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
    predictions.write(written, tmp_path / "at once.nc")
    xr.testing.assert_identical(predictions.read(path), predictions.read(tmp_path / "at once.nc"))
    whole = tmp_path / "whole.nc"
    predictions.write_parts(whole, *about, parts_of(written, (0, 3)))
    assert whole.read_bytes() == path.read_bytes()


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
    assert json.loads(read.provenance) == {"threads": 2, "traceback": "Traceback ..."}
    assert read.target.item() == "onnx"
    assert not read.data_vars


def test_writing_twice_gives_the_same_predictions(path, tmp_path):
    predictions.write(dataset(), path)
    predictions.write(dataset(), tmp_path / "again.nc")
    first, again = predictions.read(path), predictions.read(tmp_path / "again.nc")
    for name in ("logits", "label", "probability"):
        assert first[name].values.tobytes() == again[name].values.tobytes()


def spoilt(name: str, value: float) -> xr.Dataset:
    """The dataset with one value of a variable replaced."""
    bad = dataset().copy(deep=True)
    bad[name].values[1, 2] = value
    return bad


BAD = {
    "no logits": (lambda: dataset().drop_vars("logits"), "variable 'logits' is missing"),
    "no latency": (lambda: dataset().drop_vars("latency"), "variable 'latency' is missing"),
    "no model": (lambda: dataset().drop_vars("model"), "coordinate 'model' is missing"),
    "no images": (lambda: dataset().drop_vars("image"), "coordinate 'image' is missing"),
    "float64 logits": (
        lambda: dataset().assign(logits=dataset()["logits"].astype(np.float64)),
        "'logits' is float64; expected .*float32",
    ),
    "float label": (
        lambda: dataset().assign(label=dataset()["label"].astype(np.float32)),
        "'label' is float32; expected .*int32",
    ),
    "turned logits": (
        lambda: dataset().assign(logits=dataset()["logits"].T),
        r"'logits' has \('class', 'image'\); expected \('image', 'class'\)",
    ),
    "averaged latency": (
        lambda: dataset().assign(latency=dataset()["latency"].mean("repeat")),
        "'latency' has",
    ),
    "NaN logits": (lambda: spoilt("logits", np.nan), "logits that are not finite"),
    "infinite logits": (lambda: spoilt("logits", np.inf), "logits that are not finite"),
    "zero latency": (lambda: spoilt("latency", 0.0), "latencies that are not positive"),
    "NaN latency": (lambda: spoilt("latency", np.nan), "latencies that are not positive"),
    "other version": (lambda: dataset().assign_attrs(schema_version=1), "schema_version 1"),
    "unknown status": (lambda: dataset().assign_attrs(status="fine"), "status 'fine'"),
    "no attributes": (
        lambda: dataset().drop_attrs(deep=False).assign_attrs(schema_version=4),
        "attribute 'status' is missing",
    ),
    "failed without a cause": (
        lambda: predictions.failed(CELL, RECORD, INPUTS, "1" * 64, {}).assign_attrs(error_type=""),
        "without an error type",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_not_written(name, path):
    make, message = BAD[name]
    with pytest.raises(StudyError, match=message) as caught:
        predictions.write(make(), path)
    assert str(path) in str(caught.value)
    assert not path.exists()
    assert not path.parent.exists() or not list(path.parent.iterdir())


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_not_read(name, path):
    make, message = BAD[name]
    path.parent.mkdir()
    make().to_netcdf(path, engine="h5netcdf")
    refused(path, message)


def test_a_refused_write_leaves_the_old_file(path):
    predictions.write(dataset(), path)
    before = path.read_bytes()
    with pytest.raises(StudyError):
        predictions.write(spoilt("logits", np.nan), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(path, share):
    predictions.write(dataset(), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(path, "not a readable prediction file")


def test_a_text_file_is_refused(path):
    path.parent.mkdir()
    path.write_text("label\n3\n")
    refused(path, "not a readable prediction file")


def test_a_missing_file_is_refused(path):
    refused(path, "not a readable prediction file")


def test_a_foreign_netcdf_file_is_refused(path):
    path.parent.mkdir()
    xr.Dataset({"temperature": ("time", [1.0, 2.0])}).to_netcdf(path, engine="h5netcdf")
    refused(path, "not a prediction file: schema_version None; expected 4")


def test_a_damaged_value_is_refused(path):
    predictions.write(dataset(), path)
    with h5netcdf.File(path, "a") as opened:
        opened["logits"][0, 0] += np.float32(1e-3)
    refused(path, "is not what its digest is of: .* Delete it and run again")


def test_a_damaged_attribute_is_refused(path):
    predictions.write(dataset(), path)
    with h5netcdf.File(path, "a") as opened:
        opened.attrs["probe_drift"] = 1.01
    refused(path, "is not what its digest is of")


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(path, tmp_path):
    """Some bytes of an HDF5 file mean nothing; whatever means something is missed in none."""
    predictions.write(dataset(), path)
    good, data, refusals = predictions.read(path), path.read_bytes(), 0
    for place in np.random.default_rng(0).integers(8 * len(data), size=40):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << (place % 8)
        damaged = tmp_path / "damaged.nc"
        damaged.write_bytes(flipped)
        try:
            xr.testing.assert_identical(predictions.read(damaged), good)
        except StudyError as error:
            assert str(damaged) in str(error)
            refusals += 1
    assert refusals


def test_the_digest_is_the_same_in_blocks(path, monkeypatch):
    predictions.write(dataset(), path)
    monkeypatch.setattr(netcdf_digest, "BLOCK_BYTES", 8)
    with h5netcdf.File(path) as opened:
        assert netcdf_digest.digest(opened) == opened.attrs["digest"]
