"""Calibration images: others than the tested ones, prepared as the model takes them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deltann import converters
from deltann.errors import StudyError
from deltann.images import calibration_images, prepared
from deltann.images.calibration import Calibration
from deltann.images.collection import list_images, open_collection
from deltann.images.geometry import Geometry
from deltann.images.labels import label_sources
from deltann.images.preprocessing import Preprocessing
from deltann.provenance import files
from deltann.study import image_places, layout

GEOMETRY = Geometry(resize=32, crop=(32, 32), interpolation="bilinear")
PREPROCESSING = Preprocessing(
    resize=32,
    crop=(32, 32),
    interpolation="bilinear",
    channels="RGB",
    mean=(0.5, 0.25, 0.0),
    std=(0.5, 0.25, 2.0),
    classes=10,
    background=0,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs, each of one colour, of the size that the model takes."""
    path = tmp_path / "photographs"
    path.mkdir()
    for name, colour in (("a", (255, 0, 0)), ("b", (0, 255, 0)), ("c", (51, 102, 255))):
        Image.new("RGB", (32, 32), colour).save(path / f"{name}.png")
    return path


def prepare(folder: Path, output: Path, tested: set[str], allow: bool = False, **subset) -> None:
    calibration_images.prepare(folder, subset, tested, allow, GEOMETRY, "pillow", output)


def test_a_model_gets_each_image_as_it_expects_it(folder: Path, tmp_path: Path) -> None:
    prepare(folder, tmp_path / "made.nc", set())
    images = Calibration(tmp_path / "made.nc", PREPROCESSING)

    channels_last = list(images.inputs((-1, 32, 32, 3)))
    channels_first = list(images.inputs((1, 3, 32, 32)))

    # (colour / 255 - mean) / std, by hand
    expected = [[1, -1, 0], [-1, 3, 0], [-0.6, 0.6, 0.5]]
    for colour, last, first in zip(expected, channels_last, channels_first, strict=True):
        assert last.shape == (1, 32, 32, 3) and last.dtype == first.dtype == np.float32
        np.testing.assert_allclose(last, np.broadcast_to(colour, last.shape), atol=1e-6)
        np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))
    checksum = images.describe().pop("checksum")
    assert images.describe() == {"images": 3, "tested": 0, "checksum": checksum}


def test_an_image_that_is_tested_too_is_refused(folder: Path, tmp_path: Path) -> None:
    tested = {files.checksum(folder / "b.png"), "0" * 64}
    refused = r"calibration\.folder.*1 of its 3 images are also tested \('b\.png'\).*allow_tested"
    with pytest.raises(StudyError, match=refused):
        prepare(folder, tmp_path / "made.nc", tested)
    assert not (tmp_path / "made.nc").exists()

    prepare(folder, tmp_path / "subset.nc", tested, count=1, seed=3)  # not b
    with prepared.open_file(tmp_path / "subset.nc") as images:
        assert images.names != ["b.png"] and images.tested == 0


def test_who_insists_gets_the_number_of_tested_ones(folder: Path, tmp_path: Path) -> None:
    tested = {files.checksum(folder / name) for name in ("a.png", "c.png")}
    prepare(folder, tmp_path / "made.nc", tested, allow=True)
    assert Calibration(tmp_path / "made.nc", PREPROCESSING).describe()["tested"] == 2


def test_of_a_package_only_its_photographs_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "scikit-image-0.26.0.whl"
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    with zipfile.ZipFile(path, "w") as wheel:
        for name in ("chelsea.png", "page.png", "text.png", "sub/coffee.png", "coffee.png"):
            wheel.writestr(f"skimage/data/{name}", stream.getvalue())
    with open_collection(path, "calibration") as collection:
        names = list_images(collection)
        assert names == ["chelsea.png", "coffee.png"]
        assert label_sources(collection, names) == {}
        assert collection.where.startswith("calibration.package: ")


def test_only_converters_that_calibrate_take_images() -> None:
    calibrating = {name for name in converters.names() if converters.calibrates(name)}
    assert {"ort_static", "tflite_int8", "nncf_int8"} <= calibrating
    assert not calibrating & {"torch_onnx", "tflite_converter", "ort_dynamic", "onnx_float16"}
    for name in calibrating:
        assert converters.CALIBRATION not in converters.settings(name)


def test_a_studys_calibrating_edges_are_those_on_its_routes() -> None:
    config = {
        "conversions": {"torch": {"onnx": [["torch_onnx", "mine"], ["torch_onnx"]]}},
        "tvm_imports": {"onnx": [[]]},
        "edges": {"mine": {"converter": "ort_static"}, "other": {"converter": "ort_static"}},
        "calibration": {"package": "scikit-image==0.26.0", "sha256": "a" * 64},
    }
    assert image_places.calibrated_edges(config) == ["mine"]
    place = image_places.calibration(config)
    assert place is not None and place.fetched
    assert place.files == [layout.fetched_images("scikit-image-0.26.0.whl")]
    config["conversions"]["torch"]["onnx"] = [["torch_onnx"]]
    assert image_places.calibration(config) is None
