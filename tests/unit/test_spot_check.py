"""Checks of our own rewrites: when two answers are the same, and that every rewrite is checked."""

import ast
from functools import partial

import numpy as np
import pytest

from deltann import spot_check
from deltann.errors import StudyError
from deltann.execution.isolation import Limits, Task
from deltann.ours import Fault
from helpers.workspace import ROOT


@pytest.mark.parametrize(
    ("before", "after", "apart"),
    [
        ([1.0, -4.0], [[1.0], [-4.0]], 0),
        ([1.0, -4.0], [1.0, -4.5], 0.125),
        ([0.0, 0.0], [0.0, 0.0], 0),
        ([0.0, 0.0], [0.0, 1e-9], np.inf),
        ([1.0, 2.0], [1.0], np.inf),
        ([np.nan, 2.0], [np.nan, 2.0], 0),
        ([np.nan, 2.0], [np.nan, 3.0], 0.5),
        ([np.nan, 2.0], [1.0, 2.0], np.inf),
        ([1.0, 2.0], [1.0, np.nan], np.inf),
        ([np.inf, 2.0], [-np.inf, 2.0], np.inf),
    ],
)
def test_the_difference_of_two_answers(before, after, apart):
    assert spot_check.difference(np.array(before), np.array(after)) == apart


def test_a_difference_within_the_tolerance_is_none():
    before = np.array([1, 2], np.float32)
    spot_check.compare("packing", before, before * np.float32(1 + 1e-6), 1e-5)
    with pytest.raises(Fault, match="packing changed .* by 9.54e-07 .*expected the same numbers"):
        spot_check.compare("packing", before, before * np.float32(1 + 1e-6))
    with pytest.raises(Fault, match="please report it.*packing changed .*expected at most 1e-07"):
        spot_check.compare("packing", before, before * np.float32(1 + 1e-6), 1e-7)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_model_that_amplifies_rounding_has_a_larger_tolerance(dtype):
    image = spot_check.image((1, 3, 8, 8), dtype)
    total = image.sum(dtype=np.float64)

    def steady(image):
        return np.array([np.abs(image.astype(np.float64)).sum()])

    def amplifying(image):
        return np.array([image.sum(dtype=np.float64) - total + 1e-3])

    def compare(model):
        expected = model(image)
        rounding = partial(spot_check.sensitivity, model, image, expected)
        spot_check.compare("packing", expected, expected * 1.05, 1e-4, rounding)

    compare(amplifying)
    with pytest.raises(Fault, match="packing changed .* by 0.05 "):
        compare(steady)


def test_a_model_that_answers_by_chance_is_not_taken_for_one_that_was_changed():
    """As a SavedModel that Keras exports with RandomFlip in it."""
    random, image = np.random.default_rng(1), spot_check.image((1, 3, 8, 8), "float32")

    def model(image):
        return np.array([1.0, random.choice([0.4, 0.5])])

    rounding = partial(spot_check.sensitivity, model, image, np.array([1.0, 0.4]))
    for _ in range(20):
        spot_check.compare("packing", np.array([1.0, 0.4]), np.array([1.0, 0.5]), 1e-4, rounding)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8", "int32", "int64"])
def test_a_test_image_is_always_the_same_and_varied(dtype):
    image = spot_check.image((1, 3, 16, 16), dtype)
    assert image.dtype == dtype
    assert np.array_equal(image, spot_check.image((1, 3, 16, 16), dtype))
    assert len(np.unique(image)) > 100
    assert not np.array_equal(image, spot_check.image((1, 3, 16, 16), dtype, seed=1))


def test_a_changed_answer_stops_the_job(package, tmp_path):
    limits = Limits(seconds=60, memory_mb=4000)
    with pytest.raises(StudyError, match="a fault of this project.*planted rewrite changed"):
        Task("deltann.stages.misbehave", {"how": "changes_an_answer"}, limits, tmp_path).wait()


def rewrites() -> set[str]:
    """The functions that rewrite an ONNX graph."""
    folder = ROOT / "scripts/deltann/formats"
    trees = [ast.parse((folder / f"onnx_{name}.py").read_text()) for name in ("graph", "names")]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {one.name for one in functions if any(_calls(one, "ours"))}


def _calls(tree: ast.AST, *names: str) -> list[ast.Call]:
    """The calls of functions of these names."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if getattr(call.func, "id", "") in names]


def test_every_rewrite_of_an_onnx_graph_is_checked_where_it_is_made():
    names, found = rewrites(), 0
    assert "name_constants" in names
    for path in (ROOT / "scripts/deltann").rglob("*.py"):
        if path.name == "onnx.py" and path.parent.name == "descriptions":
            continue  # it reads a file, and makes none
        tree = ast.parse(path.read_text())
        checked = [
            call
            for block in ast.walk(tree)
            if isinstance(block, ast.With)
            and any(_calls(item.context_expr, "unchanged") for item in block.items)
            for call in _calls(block, *names)
        ]
        assert {*_calls(tree, *names)} == {*checked}, path
        found += len(checked)
    assert found >= 12
