"""TFLite files are traced: their tensors are read and replaced, their operators said in words."""

import numpy as np
import pytest

from deltann.localise.remote import open_tracer
from helpers import segments, steps_in_numpy
from helpers.tflite_files import NAMES, Files, close

pytestmark = pytest.mark.usefixtures("environments")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tflite"))


def test_tensors_are_those_of_tensorflow(files):
    _, tensors = files.traced["float"]
    for wanted in files.tensors.values():
        same = [item for item in tensors.values() if item.shape == wanted.shape]
        assert min(np.abs(item - wanted).max() for item in same) < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("name", NAMES)
def test_operators_do_what_their_words_say(files, name):
    operators, tensors = files.traced[name]
    known = [item for item in operators if item.kind != "other"]
    assert len(known) >= len(operators) - 1
    for item in known:
        if not any("dropped" in key for key in item.attributes):
            answers = steps_in_numpy.answer(item, [tensors[name] for name in item.inputs])
            for output, answer in zip(item.outputs, answers, strict=True):
                close(tensors[output], answer)


@pytest.mark.parametrize("name, tolerance", [("float16", 1e-3), ("int8", 0.03)])
def test_smaller_types_come_as_real_numbers(files, name, tolerance):
    operators, tensors = files.traced[name]
    for wanted in files.tensors.values():
        same = [item for item in tensors.values() if item.shape == wanted.shape]
        least = min(np.abs(item - wanted).max() for item in same)
        assert 0 < least < tolerance * np.abs(wanted).max()
    layers = [item for item in operators if "weight" in item.parameters]
    plain = [item for item in files.traced["float"][0] if "weight" in item.parameters]
    for item, other in zip(layers, plain, strict=True):
        for key, value in other.parameters.items():
            assert np.abs(item.parameters[key] - value).max() < 0.01 * np.abs(value).max()


@pytest.mark.parametrize("name", ["float", "int8", "words"])
def test_a_replaced_tensor_is_what_its_readers_read(files, name):
    with open_tracer("tflite", files.folder / f"{name}.tflite") as tracer:
        operators = tracer.operators()
        names = [output for item in operators for output in item.outputs]
        tensors = tracer.run(files.image, [*names, tracer.input])
        for item in operators:
            given = {key: tensors[key] for key in item.inputs}
            again = tracer.run(files.image, item.outputs, given)
            for key in item.outputs:
                np.testing.assert_array_equal(again[key], tensors[key])
        middle = operators[len(operators) // 2]
        other = {middle.inputs[0]: tensors[middle.inputs[0]] * 0.5}
        found = tracer.run(files.image, [tracer.output, *other], other)
        assert not np.array_equal(found[tracer.output], tensors[tracer.output])
        np.testing.assert_allclose(found[middle.inputs[0]], other[middle.inputs[0]], atol=0.1)


@pytest.mark.parametrize("name", ["float", "int8"])
def test_operators_are_cut_out(files, name):
    operators, tensors = files.traced[name]
    path = files.folder / f"{name}.tflite"
    with segments.cutter("tflite") as cut:
        part, first, second = segments.check_cutting(cut, "tflite", path, operators)
    with open_tracer("tflite", part) as tracer:
        assert [item.native for item in tracer.operators()] == [first.native, second.native]
        (read,), (written,) = first.inputs, second.outputs
        assert (tracer.input, tracer.output) == (read, written)
        given = tracer.run(tensors[read], [written])[written]
    np.testing.assert_array_equal(given, tensors[written])
