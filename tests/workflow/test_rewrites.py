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
    numbers = [far for far in apart[name].values() if not isinstance(far, str)]
    assert max(numbers) < MODELS[name]


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


@pytest.fixture(scope="module")
def one_image(workspace, tmp_path_factory):
    """What `one_image_models.py` prints, and the folder of its files."""
    folder = tmp_path_factory.mktemp("one_image")
    return json.loads(run(workspace, "onnx", "one_image_models", folder)), folder


@pytest.mark.parametrize(
    ("name", "factor"),
    [("dynamic", 1), ("unknown", 1), ("four_d", 1), ("named", 1), ("named_last", 10), ("batch", 1)]
    + [("external", 10)],
)
def test_a_file_of_another_form_takes_one_image(one_image, name, factor):
    printed, folder = one_image
    assert printed[name]["sides"] == [1, 3, 4, 6]
    image = np.random.default_rng(0).random((1, 3, 4, 6), np.float32)
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
    (answers,) = session.run(None, {"image": image})
    np.testing.assert_allclose(answers, factor * image.mean((2, 3)), rtol=1e-5)


def test_what_only_other_outputs_need_is_removed(one_image):
    named = one_image[0]["named"]
    assert (named["operators"], named["constants"]) == (["GlobalAveragePool", "Flatten"], [])


def test_weights_that_were_in_a_second_file_are_as_if_they_never_had_been(one_image):
    assert one_image[0]["external"]["constants"] == one_image[0]["named_last"]["constants"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("not_named", "output_name is missing, and the model has 2 outputs: 'scaled' (1 × 3)"),
        ("misnamed", "output_name: the model has no output 'x'; expected one of its 2 outputs"),
        ("reshaped_8", "made for batches of 8 and doesn't take one image; export the model again"),
        ("reshaped_rows", "doesn't take one image; .* gives 3 answers for one image"),
    ],
)
def test_a_file_that_needs_a_decision_is_refused_in_one_sentence(one_image, name, message):
    parts = message.split(" .* ")
    assert all(part in one_image[0][name]["refused"] for part in parts)
    assert ".h:" not in one_image[0][name]["refused"]  # where in its source a tool stands


def test_an_input_of_any_name_is_compiled_for_a_gpu(workspace, tmp_path):
    """TVM alone writes the name into the CUDA code, which then is none."""
    check = json.loads(run(workspace, "tvm", "odd_input_name", tmp_path).splitlines()[-1])
    assert check["difference"] <= check["tolerance"]
    assert "input_gpu_0_data_0: R.Tensor" in (tmp_path / "named.py").read_text()


@pytest.fixture(scope="module")
def one_output(workspace, tmp_path_factory) -> dict:
    """What `two_tflite_outputs.py` prints of a TFLite file with two outputs."""
    folder = tmp_path_factory.mktemp("one_output")
    run(workspace, "tvm", "two_tflite_outputs", "make", folder)
    return json.loads(run(workspace, "tflite", "two_tflite_outputs", "keep", folder))


def test_a_tflite_file_keeps_the_output_that_the_config_names(one_output):
    mean = np.array(one_output["mean"]["answers"])
    assert mean.shape == (3,)
    assert mean.any()
    np.testing.assert_array_equal(one_output["negative"]["answers"], -mean)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("None", "output_name is missing, and the model has 2 outputs: 'mean' (1 × 3), 'negative'"),
        ("x", "output_name: the model has no output 'x'; expected one of its 2 outputs"),
    ],
)
def test_outputs_of_a_tflite_file_are_listed(one_output, name, message):
    assert message in one_output[name]["refused"]


def test_outputs_that_share_a_name_are_named_by_their_places(one_output):
    found = one_output["twins"]
    assert found["described"] == {"0": [1, 3], "1": [1, 3]}
    assert found["answers"] == one_output["negative"]["answers"]


@pytest.fixture(scope="module")
def one_signature(workspace, tmp_path_factory) -> dict:
    """What `saved_signatures.py` prints of a SavedModel with several signatures and outputs."""
    folder = tmp_path_factory.mktemp("signatures")
    calls = [[folder], [folder, "once"], [folder, "once"]]
    printed = [run(workspace, "tensorflow", "saved_signatures", *call) for call in calls]
    found, *again = (json.loads(text.splitlines()[-1]) for text in printed)
    return found | {"again": [item["digest"] for item in again]}


def test_a_savedmodel_keeps_the_signature_and_output_that_the_config_names(one_signature):
    for name in ("score", "twice"):
        found = one_signature[name]
        assert (found["signatures"], found["outputs"]) == (["serving_default"], ["classes"])
        assert found["shape"] == [None, 8, 6, 3]  # the open sides are the config's
        np.testing.assert_allclose(found["answer"], found["expected"], rtol=1e-6)
    assert len(set(one_signature["again"])) == 1  # always the same bytes
    assert one_signature["alone"]["same"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("texts", "output_name: 'names' is string any; expected an output of real or whole numb"),
        ("batch", "models.mine.signature: 'batch' takes 'image', float32 8 × 8 × 6 × 3"),
        ("wrong", "a fault of this project, not of a tool (please report it): keeping one signa"),
    ],
)
def test_a_signature_that_does_not_fit_or_changes_is_refused(one_signature, name, message):
    assert message in one_signature[name]["refused"]


@pytest.fixture(scope="module")
def wrong(workspace):
    """What `wrong_rewrites.py` prints."""
    return json.loads(run(workspace, "onnx", "wrong_rewrites").splitlines()[-1])


# What a message says of a rewrite that was made to go wrong.
WRONG = {
    "constants": "naming an ONNX graph's constants changed the model's answer to a test image by",
    "lost": "naming an ONNX graph's constants broke the model, which ran before",
    "tensors": "numbering an ONNX graph's tensors changed the model's answer",
    "nodes": "numbering an ONNX graph's nodes changed the model's answer",
    "unread": "removing an ONNX graph's unread inputs changed the model's answer",
    "batch": "setting an ONNX graph's batch to 1 changed the model's answer",
    "input": "fixing the shape of an ONNX graph's input changed the model's answer",
    "input_of_eight": "fixing the shape of an ONNX graph's input changed the model's answer",
    "output": "removing an ONNX graph's other outputs changed the model's answer",
    "flat": "flattening an ONNX graph's output changed the model's answer",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rewrite_is_our_fault_and_is_named(wrong, name):
    kind, message = wrong[name]
    assert kind == "Fault"
    assert message.startswith("a fault of this project, not of a tool (please report it): ")
    assert WRONG[name] in message


def test_a_right_rewrite_passes(wrong):
    assert [wrong[name] for name in ("constants_right", "tensors_right", "input_right")] == [[]] * 3


def test_a_model_that_did_not_run_before_is_no_fault_of_ours(wrong):
    assert wrong["unrunnable"] == []
    assert list(wrong["unchecked"]) == ["naming an ONNX graph's constants"]


@pytest.fixture(scope="module")
def judged(workspace, tmp_path_factory) -> dict:
    """What `wrong_passes.py` prints."""
    folder = tmp_path_factory.mktemp("judged")
    return json.loads(run(workspace, "tvm", "wrong_passes", folder).splitlines()[-1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "repair",
            "the repair of imported Pads changed the model's answer to a test image by 0.01",
        ),
        ("packing", "the graph pass PackLayout changed the model's answer to a test image by 0.01"),
        ("broken", "the graph pass PackOperators left a model that TVM can't compile: "),
        ("schedules", "the schedules of the kernels changed the model's answer"),
    ],
)
def test_what_we_break_on_the_way_to_a_library_is_our_fault(judged, name, message):
    assert judged[name]["type"] == "Fault"
    assert message in judged[name]["message"]


def test_what_a_pass_of_tvm_changes_is_a_result(judged):
    check = judged["theirs"]["check"]
    assert check["difference"] == pytest.approx(0.01, rel=1e-3)
    assert check["tolerance"] == 1e-4


def test_code_for_another_machine_is_checked_up_to_its_schedules(judged):
    assert judged["right"]["unchecked"] == {}
    for name in ("right", "foreign"):
        assert judged[name]["check"]["difference"] < 1e-5
    (reason,) = judged["foreign"]["unchecked"].values()
    assert "it is code for aarch64-linux-gnu, and this machine is " in reason


def test_a_failure_of_tvm_alone_says_so(apart):
    assert apart["cond.pt2"]["O4"].endswith(
        "(without this project's passes and schedules TVM fails in the same way)"
    )
