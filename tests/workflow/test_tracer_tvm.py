"""The graph that TVM imports is traced: small models beside their own runtimes, and real faults."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from deltann.formats import exported_program
from deltann.localise.finding import Localisation, Outcome, Verdict
from deltann.localise.localise import localise
from deltann.localise.remote import open_tracer, python
from deltann.steps import KINDS
from helpers import small_torch, steps_in_numpy
from helpers.tflite_files import Files, close
from helpers.workspace import ROOT

pytestmark = pytest.mark.usefixtures("environments")
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of `helpers/wrongly_imported.py`."""
    made = tmp_path_factory.mktemp("imported")
    script = ROOT / "tests/helpers/wrongly_imported.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([python("onnx")[0], script, made], env=environment, check=True)
    return made


def located(framework: str, path: Path) -> Localisation:
    """What differs between a file and what TVM makes of it."""
    with open_tracer(framework, path) as source, open_tracer("tvm", path) as target:
        shape = (2, *source.input_shape)
        images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        return localise(source, target, images)


def test_a_graph_imported_rightly_has_the_tensors_of_the_file(folder):
    found = located("onnx", folder / "right.onnx")
    assert found.outcome == Outcome.SAME and found.difference < ROUNDING
    assert found.matched >= 10


def test_operators_are_told_in_the_words_of_all_formats(folder):
    with open_tracer("tvm", folder / "right.onnx") as tracer:
        operators = tracer.operators()
    kinds = [item.kind for item in operators]
    for kind in ("convolution", "batch_norm", "split", "clip", "concat", "resize", "dense"):
        assert kind in kinds
    assert set(kinds) <= {*KINDS} - {"other"}
    (split,) = (item for item in operators if item.kind == "split")
    assert split.attributes == {"axis": "C", "sizes": [1, 3]} and len(split.outputs) == 2
    (concat,) = (item for item in operators if item.kind == "concat")
    assert len(concat.inputs) == 2 and concat.attributes == {"axis": "C"}
    (norm,) = (item for item in operators if item.kind == "batch_norm")
    assert set(norm.parameters) == {"scale", "shift", "mean", "variance"}
    assert norm.inputs and len(norm.outputs) == 1


def test_a_replaced_tensor_takes_effect(folder):
    with open_tracer("tvm", folder / "right.onnx") as tracer:
        image = np.ones(tracer.input_shape, np.float32)
        concat = next(item for item in tracer.operators() if item.kind == "concat")
        (name,) = concat.outputs
        wanted = [*concat.inputs, name, tracer.output]
        plain = tracer.run(image, wanted)
        one, other = (plain[item] for item in concat.inputs)
        np.testing.assert_array_equal(plain[name], np.concatenate([one, other], 1))
        given = {concat.inputs[1]: other + 1}
        changed = tracer.run(image, wanted, given)
        np.testing.assert_array_equal(changed[name], np.concatenate([one, other + 1], 1))
        assert np.abs(changed[tracer.output] - plain[tracer.output]).max() > 1e-3
        again = tracer.run(image, [tracer.output], {name: changed[name]})
        np.testing.assert_array_equal(again[tracer.output], changed[tracer.output])
        same = tracer.run(image, [tracer.output], {})
        np.testing.assert_array_equal(same[tracer.output], plain[tracer.output])


@pytest.mark.parametrize(
    "name, native, words",
    [
        ("resize", "image.resize2d", "resize's scales"),
        ("pool", "nn.max_pool2d", "max_pool's pads"),
    ],
)
def test_what_the_importer_changes_is_located(folder, name, native, words):
    """Faults of TVM 0.27: docs/found/tvm-onnx-resize-scales and tvm-onnx-same-lower."""
    found = located("onnx", folder / f"{name}.onnx")
    assert found.outcome == Outcome.FOUND
    (fault,) = found.faults
    assert fault.verdict == Verdict.LOCATED and fault.target_operators[0].native == native
    assert words in fault.differences[0].what
    assert fault.ranked[0] == fault.target_operators[0].name


def test_pytorch_and_its_batch_norms(tmp_path):
    path, shape = tmp_path / "network.pt2", (1, 3, small_torch.SIZE, small_torch.SIZE)
    exported_program.save(small_torch.network(), shape, path)
    found = located("torch", path)
    assert found.outcome == Outcome.SAME and found.difference < ROUNDING
    assert found.matched >= found.compared - 2


def test_tflite_keeps_its_layout_and_the_words_say_what_is_done(tmp_path):
    files = Files(tmp_path)
    with open_tracer("tvm", files.folder / "float.tflite") as tracer:
        assert tracer.layout == "NHWC"
        operators = tracer.operators()
        names = {name for item in operators for name in (*item.inputs, *item.outputs)}
        tensors = tracer.run(files.image, names)
    known = [item for item in operators if item.kind != "other"]
    assert len(known) >= len(operators) - 1
    for item in known:
        answers = steps_in_numpy.answer(item, [tensors[name] for name in item.inputs])
        for output, answer in zip(item.outputs, answers, strict=True):
            close(tensors[output], answer)
