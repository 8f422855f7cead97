"""What an export finds out about a model's answers: finite, and logits or probabilities."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from deltann import runners
from deltann.dataset import aggregate, predictions
from deltann.images.preprocessing import Preprocessing
from deltann.stages import native_answers
from helpers.made_up_cells import CONVERTED, NATIVE, TOLERANCES, ran

SIZE, CLASSES = 20, 5
PREPROCESSING = Preprocessing(
    None, (SIZE, SIZE), "nearest", "RGB", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), CLASSES, background=0
)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits.astype(np.float64))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)


class Linear(runners.LocalRunner):
    """A runner whose logits are multiples of the image's mean."""

    input_shape = (1, SIZE, SIZE, 3)

    def __init__(self, model_file: Path, threads: int):
        pass

    def __enter__(self) -> "Linear":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, batch: np.ndarray) -> np.ndarray:
        return batch.mean() * np.arange(-2, CLASSES - 2, dtype=np.float32)[np.newaxis]


class Softmax(Linear):
    """The same with a softmax at the end."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        return softmax(super().run(batch))


class Poisoned(Linear):
    """The second output is NaN for every image that isn't black."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        output = super().run(batch)
        if batch.any():
            output[0, 1] = np.nan
        return output


@pytest.fixture
def answers(monkeypatch):
    """A function that gives a made-up runner's answers."""

    def of(runner: type) -> dict[str, np.ndarray]:
        module = SimpleNamespace(Runner=runner)
        monkeypatch.setattr(native_answers.importlib, "import_module", lambda name: module)
        found, step = native_answers.run("made_up", Path(), PREPROCESSING)
        assert step == 0
        return found

    return of


def test_probabilities_are_known_by_their_values(answers):
    assert native_answers.kind(answers(Linear)) == "logits"
    assert native_answers.kind(answers(Softmax)) == "probabilities"


def test_quantized_probabilities_may_lose_much_of_their_sum():
    logits = np.random.default_rng(0).normal(size=(4, 1001)).astype(np.float32)
    step = 1 / 256
    images = {str(n): np.rint(row / step) * step for n, row in enumerate(softmax(3 * logits))}
    assert min(row.sum() for row in images.values()) < 0.9
    assert native_answers.kind(images, step) == "probabilities"
    assert native_answers.kind(images) == "logits"
    assert native_answers.kind({"large": 30 * images["0"]}, step) == "logits"


def test_declaration_and_values_that_disagree_are_a_warning(answers):
    assert native_answers.outputs(answers(Softmax), None) == {
        "output": "probabilities",
        "output_warning": "",
    }
    found = native_answers.outputs(answers(Softmax), "logits")
    assert found["output"] == "logits"
    assert "declare output: probabilities" in found["output_warning"]
    found = native_answers.outputs(answers(Linear), "probabilities")
    assert found["output"] == "probabilities"
    assert "range from 0 to 0 and add up to 0" in found["output_warning"]
    for declared, runner in (("logits", Linear), ("probabilities", Softmax)):
        assert not native_answers.outputs(answers(runner), declared)["output_warning"]


def test_answers_that_are_not_finite_are_refused(answers):
    native_answers.check_finite(answers(Softmax))
    with pytest.raises(ValueError) as error:
        native_answers.check_finite(answers(Poisoned))
    assert "answers NaN for 3 of 4 test images" in str(error.value)
    assert "first bad output is number 1 of 5, for a white image" in str(error.value)


def test_the_probability_of_a_softmax_model_is_what_the_model_says(tmp_path):
    logits = np.random.default_rng(0).normal(size=(6, 10)).astype(np.float32)
    said = softmax(logits)
    of_logits, path = ran(NATIVE, logits=logits), tmp_path / "softmax.nc"
    of_softmax = ran(CONVERTED, logits=said, output="probabilities", output_warning="odd")
    np.testing.assert_allclose(of_logits["probability"], of_softmax["probability"], rtol=1e-6)
    np.testing.assert_array_equal(of_logits["label"], of_softmax["label"])
    np.testing.assert_array_equal(of_softmax["probability"][:, 0], said.max(axis=1))
    predictions.write(of_softmax, path)
    read = predictions.read(path)
    assert read.output == "probabilities"
    assert "probabilities where `output` says so" in read["logits"].comment
    aggregate.aggregate([path], tmp_path / "study.nc", TOLERANCES, "")
    study = xr.load_dataset(tmp_path / "study.nc", engine="h5netcdf")
    assert study["output"].item() == "probabilities"
    assert study["output_warning"].item() == "odd"
    assert study["logits"].comment == read["logits"].comment
