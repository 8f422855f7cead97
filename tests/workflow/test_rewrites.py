"""Models whose rewrites by this project once failed: types other than float32, branches."""

import json
import os
import subprocess

import numpy as np
import onnxruntime
import pytest

from helpers.workspace import ROOT


def run(space, environment: str, script: str, *arguments) -> str:
    """What a helper prints that runs in an environment of the study."""
    python = space.path / f".envs/{environment}/bin/python"
    command = [python, ROOT / f"tests/helpers/{script}.py", *arguments]
    found = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(command, capture_output=True, text=True, env=found)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def apart(workspace, tmp_path_factory) -> dict:
    """By model and level, how far compiled answers are from the model's own."""
    printed = run(workspace, "tvm", "odd_models", tmp_path_factory.mktemp("odd"))
    return json.loads(printed.splitlines()[-1])


# By how much of its largest value an answer may be off: float16 rounds to 1 in 2,048.
MODELS = {"float16_pad.onnx": 1e-5, "int32_pad.onnx": 1e-5, "if.onnx": 1e-5, "cond.pt2": 1e-5}
MODELS |= {"float16.onnx": 5e-3, "uint8.onnx": 1e-5}


@pytest.mark.parametrize("name", MODELS)
def test_compiled_models_answer_as_their_files_do(apart, name):
    assert set(apart[name]) >= {"O0", "O3"}
    assert max(apart[name].values()) < MODELS[name]


@pytest.fixture(scope="module")
def conditional(workspace, tmp_path_factory):
    """The folder of `conditional_savedmodel.py`."""
    folder = tmp_path_factory.mktemp("conditional")
    run(workspace, "tensorflow", "conditional_savedmodel", folder)
    return folder


@pytest.mark.parametrize("name", ["converted", "first", "numbered"])
def test_a_converted_condition_answers_as_tensorflow_does(conditional, name):
    images, expected = (np.load(conditional / f"{file}.npy") for file in ("images", "answers"))
    if name == "first":
        images = images.transpose(0, 3, 1, 2)
    session = onnxruntime.InferenceSession(conditional / f"{name}.onnx")
    (declared,) = session.get_inputs()
    answers = [session.run(None, {declared.name: image[None]})[0] for image in images]
    np.testing.assert_allclose(np.concatenate(answers), expected, rtol=1e-4, atol=1e-5)
