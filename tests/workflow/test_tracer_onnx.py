"""ONNX files are traced and edited: small models, beside ONNX Runtime and ONNX's reference."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from deltann.edits import Impossible, SetAttribute, SetParameter
from deltann.localise.remote import RemoteEditor, open_tracer, python
from deltann.steps import KINDS
from helpers.onnx_expected import EXPECTED
from helpers.workspace import ROOT

pytestmark = pytest.mark.usefixtures("environments")
ROUNDING = 1e-6
# Edits that are impossible, and words of the reason.
IMPOSSIBLE = {
    "axis, old": "it needs 13",
    "coordinates, old": "it needs 11",
    "unknown attribute of ONNX's own": "size",
    "unknown attribute": "expected ['dilations', 'groups', 'pads', 'strides']",
    "unknown operator": "no operator 'second'",
    "weight of another shape": "expected (4, 3, 3, 3)",
    "groups alone": "doesn't run",
    "bias of another shape": "expected (6,)",
    "reconnect to itself": "its own output",
    "reconnect a constant": "reads 1 tensors",
    "bypass what shapes need": "doesn't run",
    "insert a loop": "its own output",
    "insert a transpose": "doesn't run",
}


def asked(script: str, folder: Path) -> dict:
    """What a helper says in the environment of ONNX."""
    paths = os.pathsep.join([str(ROOT / "scripts"), str(ROOT / "tests")])
    done = subprocess.run(
        [python("onnx")[0], ROOT / "tests/helpers" / script, folder],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What becomes of the cases and of the edits."""
    return asked("traced_onnx.py", tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture(scope="module")
def odd(folder: Path) -> dict:
    """What becomes of the larger models, which lie in `folder`."""
    return asked("odd_onnx.py", folder)


def test_all_tensors_are_those_of_onnx_runtime(small):
    assert {name: item["apart"] for name, item in small["traced"].items() if item["apart"]} == {}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_operator_is_told_in_the_common_words(small, name):
    operator = small["traced"][name]["operators"]["first"]
    found = (operator["kind"], operator["attributes"], operator["parameters"])
    assert found == EXPECTED[name]
    assert operator["kind"] in KINDS and operator["outputs"][0] == "out"


def test_what_an_operator_reads_are_tensors_that_depend_on_the_image(small):
    for name, item in small["traced"].items():
        made = {"image"}
        for operator in item["operators"].values():
            assert operator["inputs"] and {*operator["inputs"]} <= made, name
            made |= {*operator["outputs"]}
        assert "out" in made


def test_setting_what_is_set_changes_nothing(small):
    moved = {
        f"{name}: {part}": value
        for name, parts in small["written"].items()
        for part, value in parts.items()
        if isinstance(value, str) or value > ROUNDING
    }
    # a size replaces the scales, by which coordinates were computed
    assert moved.keys() == {"resize: size"}
    assert sum(map(len, small["written"].values())) > 150


def test_an_edit_does_what_it_says(small):
    for name, item in small["edited"].items():
        if name in IMPOSSIBLE:
            assert IMPOSSIBLE[name] in item["impossible"], name
            continue
        assert "impossible" not in item, (name, item)
        assert item["apart"] <= ROUNDING and item["apart by reference"] <= ROUNDING, (name, item)
        # the elements of a row stay in their order when their shape changes
        assert (item["moved"] == 0) == (name == "shape"), (name, item)
        assert item["names"] == [["image"], ["out"]], name
    assert len(small["edited"]) > len(IMPOSSIBLE) + 40


def test_a_tensor_that_is_given_takes_effect(odd):
    assert len(odd["replaced"]) == 7
    for name, item in odd["replaced"].items():
        assert item["itself"] == item["before"] == 0 and item["output"] <= ROUNDING, name
        assert item["moved"] > 0.1, name
    assert odd["one of two outputs"] == 0


def test_files_keep_things_in_many_ways(odd):
    for name, item in odd["files"].items():
        assert item["kind"] == "convolution" and item["inputs"] == ["image"], name
        assert item["shape"] == [1, 4, 9, 11] and item["weight"] == "float32", name
        half = name == "half"
        assert item["dtype"] == ("float16" if half else "float32"), name
        assert item["apart"] <= (0.02 if half else ROUNDING), name
    assert odd["names"]["kinds"] == ["clip", "negative", "abs", "negative"]
    assert len({*odd["names"]["names"]}) == 4 and "Neg:out" in odd["names"]["names"]
    assert odd["names"]["apart"] == 0


def test_operators_are_cut_out_as_a_model(odd):
    segments = odd["segments"]
    assert all(item["apart"] <= ROUNDING for item in segments.values())
    assert segments["network"] == segments["network"] | {
        "inputs": ["b"],
        "outputs": ["d"],
        "nodes": ["Conv", "Add"],
    }
    assert segments["quantized"]["nodes"] == ["DequantizeLinear", "Conv"]
    assert segments["reshape by shape"]["nodes"] == ["Reshape"]


def test_files_are_traced_and_edited_from_another_environment(odd, folder):
    path, output = folder / "network.onnx", folder / "edited.onnx"
    image = np.random.default_rng(0).standard_normal((1, 4, 9, 11)).astype(np.float32)
    with open_tracer("onnx", path) as tracer:
        operators = {item.name: item for item in tracer.operators()}
        before = tracer.run(image, ["out", "c", "b"])
    weight = operators["two"].parameters["weight"]
    edits = [
        SetAttribute("one", "pads", [0, 2, 2, 0]),
        SetParameter("two", "weight", np.ascontiguousarray(weight[::-1])),
    ]
    with RemoteEditor("onnx") as editor:
        editor.apply(path, edits, output)
        with pytest.raises(Impossible, match="no operator 'three'"):
            editor.apply(path, [SetAttribute("three", "pads", [])], output)
    with open_tracer("onnx", output) as tracer:
        after = tracer.run(image, ["out"], {"b": before["b"]})
        (changed,) = (item for item in tracer.operators() if item.name == "one")
        turned = tracer.run(image, ["c"], {"b": before["b"]})["c"]
    assert changed.attributes["pads"] == [0, 2, 2, 0]
    np.testing.assert_allclose(turned, before["c"][:, ::-1], rtol=0, atol=ROUNDING)
    assert np.abs(after["out"] - before["out"]).max() > 1e-3
