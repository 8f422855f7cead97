"""A prediction file that is incomplete, damaged or foreign is neither written nor read."""

import h5netcdf
import numpy as np
import pytest
import xarray as xr

from deltann.dataset import predictions
from deltann.dataset.prediction_schema import SCHEMA_VERSION
from deltann.errors import StudyError
from deltann.provenance import netcdf_checksum
from helpers.one_cell import CELL, INPUTS, RECORD, dataset, spoilt


@pytest.fixture
def path(tmp_path):
    """Where a prediction file may be written."""
    return tmp_path / "predictions" / "cell.nc"


def refused(path, match: str) -> None:
    """The file is refused with one message that names it."""
    with pytest.raises(StudyError, match=match) as caught:
        predictions.read(path)
    assert str(path) in str(caught.value)


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
    "an emulated device's latency": (
        lambda: dataset().assign_attrs(emulated=1),
        "latencies of an emulated device",
    ),
    "zero latency": (lambda: spoilt("latency", 0.0), "latencies that are not positive"),
    "NaN latency": (lambda: spoilt("latency", np.nan), "latencies that are not positive"),
    "other version": (lambda: dataset().assign_attrs(schema_version=1), "schema_version 1"),
    "unknown status": (lambda: dataset().assign_attrs(status="fine"), "status 'fine'"),
    "no attributes": (
        lambda: dataset().drop_attrs(deep=False).assign_attrs(schema_version=SCHEMA_VERSION),
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
    refused(path, f"not a prediction file: schema_version None; expected {SCHEMA_VERSION}")


def test_a_damaged_value_is_refused(path):
    predictions.write(dataset(), path)
    with h5netcdf.File(path, "a") as opened:
        opened["logits"][0, 0] += np.float32(1e-3)
    refused(path, "checksum mismatch: .* Delete it and run again")


def test_a_damaged_attribute_is_refused(path):
    predictions.write(dataset(), path)
    with h5netcdf.File(path, "a") as opened:
        opened.attrs["probe_drift"] = 1.01
    refused(path, "checksum mismatch")


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
    monkeypatch.setattr(netcdf_checksum, "BLOCK_BYTES", 8)
    with h5netcdf.File(path) as opened:
        assert netcdf_checksum.compute(opened) == opened.attrs["checksum"]
