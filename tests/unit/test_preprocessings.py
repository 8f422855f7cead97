"""Preprocessings of a grid: named conventions, and two that come to the same are one cell."""

import copy
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from deltann.images import conventions, prepare
from deltann.images.geometry import Geometry
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.study import grid, preparations, schema
from deltann.study.reference import References
from helpers.config_mistakes import CONFIG

ALL = ["source", "target", "imagenet", "tensorflow", "caffe", "raw"]
MODEL = Preprocessing(
    256, (224, 224), "bicubic", "RGB", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), classes=10, background=0
)


def study(preprocessing: list[str], **changes: object) -> dict:
    """A config of native cells, with the schema's defaults."""
    config = copy.deepcopy(CONFIG) | {"backends": ["native"], "preprocessing": preprocessing}
    config |= copy.deepcopy(changes)
    schema.fill_defaults(config, schema.load())
    return config


def own(**changes: object) -> dict:
    """A study of one's own model, with changes in its input."""
    mine = copy.deepcopy(CONFIG["models"][2])
    mine["input"] |= changes
    return {"models": [mine], "conversions": {"onnx": {"onnx": [[]], "torch": [["onnx2torch"]]}}}


def preprocessings(config: dict, target: str) -> list[str]:
    return [cell.preprocessing for cell in grid.cells(config) if cell.target == target]


# By hand, in float64, from the documentation of torchvision and Keras.
FORMULAS = {
    "imagenet": lambda rgb: (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "tensorflow": lambda rgb: rgb / 127.5 - 1,
    "caffe": lambda rgb: rgb[..., ::-1] - [103.939, 116.779, 123.68],
    "raw": lambda rgb: rgb,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_convention_is_its_formula_and_keeps_the_geometry(name):
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    applied = conventions.apply(name, MODEL)
    found = normalise(pixels, applied, "NHWC")[0]
    np.testing.assert_allclose(found, FORMULAS[name](pixels.astype(float)), atol=5e-5)
    assert grid.geometry(applied) == grid.geometry(MODEL)
    assert (applied.classes, applied.background) == (10, 0)


def test_every_convention_has_a_formula_and_an_origin():
    assert set(FORMULAS) == set(conventions.CONVENTIONS)
    assert all(item.origin for item in conventions.CONVENTIONS.values())


def test_the_same_under_two_names_is_one_cell():
    """PyTorch's and Keras's Lite0 want the same images."""
    routes = {"torch": {"torch": [[]], "keras": [["torch_onnx", "onnx2keras"]]}}
    config = study(["target", "source"], models=["efficientnet_lite0"], conversions=routes)
    assert preprocessings(config, "torch") == preprocessings(config, "keras") == ["source"]
    (note,) = preparations.notes(config)
    assert note == (
        "preprocessing target is the same as source for efficientnet_lite0 from torch to keras: "
        "these cells are there once, as source"
    )


def test_a_target_that_changes_something_has_its_cells():
    routes = {"keras": {"keras": [[]], "torch": [["keras_onnx", "onnx2torch"]]}}
    config = study(ALL, models=["mobilenet_v2"], conversions=routes)
    # Keras's own is -1 to 1
    assert preprocessings(config, "keras") == ["source", "imagenet", "caffe", "raw"]
    # torchvision's images are cut out, Keras's are squeezed: target isn't imagenet
    assert preprocessings(config, "torch") == ["source", "target", "imagenet", "caffe", "raw"]


@pytest.mark.parametrize(
    "declared",
    [
        {"convention": "imagenet"},
        {
            "channels": "RGB",
            "mean": [123.675 / 255, 116.28 / 255, 103.53 / 255],  # other float64, same float32
            "std": [0.229, 0.224, 0.225],
        },
    ],
)
def test_a_model_of_ones_own_in_its_own_convention(declared):
    changes = own()
    kept = {"size": 64, "layout": "NCHW"} | declared
    changes["models"][0]["input"] = kept
    config = study(ALL, **changes)
    for target in ("onnx", "torch"):
        assert preprocessings(config, target) == ["source", "tensorflow", "caffe", "raw"]
    cells = grid.cells(config)
    assert max(Counter(str(grid.preprocessing(config, cell)) for cell in cells).values()) == 2
    none, same = preparations.notes(config)
    assert none.startswith("preprocessing target: no converted model of this study is known")
    assert "imagenet is the same as source for mine from onnx to onnx, mine from onnx to" in same


def test_without_the_source_the_first_of_two_has_the_cells():
    config = study(["imagenet", "tensorflow"], **own(mean=[0.5] * 3, std=[0.5] * 3))
    assert preprocessings(config, "onnx") == ["imagenet", "tensorflow"]
    assert not list(preparations.notes(config))


def test_a_study_in_which_all_vary_has_no_note():
    config = study(["source", "imagenet", "caffe"], **own())
    assert not list(preparations.notes(config))


def test_another_convention_is_compared_with_the_models_own():
    config = study(["caffe", "source"], **own())
    cells = grid.cells(config)
    references = References(cells)
    for cell in cells:
        reference = references.of_model(cell)
        assert (reference.preprocessing, reference.target) == ("source", "onnx")
        assert references.of_file(cell) == cell


def test_gray_is_pillows_and_has_one_channel():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    gray = Preprocessing(None, (32, 48), "nearest", "gray", (0.25,), (0.5,), 10, 0)
    luma = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    expected = (luma / 255 - 0.25) / 0.5
    for order, shape in {"NCHW": (1, 1, 32, 48), "NHWC": (1, 32, 48, 1)}.items():
        assert layout(shape, gray) == order
        found = normalise(pixels, gray, order)
        np.testing.assert_allclose(found, expected.reshape(shape), atol=1e-6)
    with pytest.raises(ValueError, match=r"expected \(1, 1, 32, 48\) or \(1, 32, 48, 1\)"):
        layout((1, 3, 32, 48), gray)


def test_colours_have_no_cells_for_gray():
    config = study(ALL, **own(channels="gray", mean=[0], std=[1]))
    assert preprocessings(config, "onnx") == ["source", "tensorflow", "raw"]
    cell = next(cell for cell in grid.cells(config) if cell.preprocessing == "raw")
    assert grid.preprocessing(config, cell).std == (1 / 255,)
    assert any(
        "imagenet: its numbers are for colours" in note for note in preparations.notes(config)
    )


def test_a_rectangle_has_its_height_and_width():
    config = study(["source"], **own(size=[32, 48], resize=50))
    (cell, *_) = grid.cells(config)
    assert grid.preprocessing(config, cell).input_shape("NCHW") == (1, 3, 32, 48)
    assert grid.prepared_images(config, cell) == "inputs/50-32x48-bilinear/pillow.nc"


@pytest.mark.parametrize("size", [(300, 200), (200, 300)])
def test_a_rectangle_is_cut_out_or_squeezed(size):
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    image, file = Image.fromarray(noise), io.BytesIO()
    image.save(file, "PNG")
    sides = [round(64 * side / 200) for side in size]
    resized = np.asarray(image.resize(sides, Image.Resampling.BICUBIC))
    left, top = (sides[0] - 48) // 2, (sides[1] - 32) // 2
    cut, squeezed = (
        prepare.pixels(file.getvalue(), Geometry.parse(word), "pillow")
        for word in ("64-32x48-bicubic", "whole-32x48-bicubic")
    )
    assert np.array_equal(cut, resized[top : top + 32, left : left + 48])
    whole = np.asarray(image.resize((48, 32), Image.Resampling.BICUBIC))
    assert np.array_equal(squeezed, whole)


@pytest.mark.parametrize("word", ["64-48-bicubic", "whole-32x48-nearest"])
def test_a_geometry_is_its_word(word):
    assert str(Geometry.parse(word)) == word
