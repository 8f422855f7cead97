"""The config that is proposed for a model file, from what the file says of itself."""

from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import yaml

from deltann.errors import StudyError
from deltann.formats import descriptions
from deltann.formats.descriptions import Description
from deltann.formats.tensor_types import TensorType, encode
from deltann.images.conventions import CONVENTIONS
from deltann.images.normalise import normalise
from deltann.images.preprocessing import Preprocessing
from deltann.models import user_model
from deltann.study import convention_choice, grid, proposal, proposal_text
from deltann.study.proposal import Proposed, nested, propose
from deltann.workflow import trial, trial_request
from deltann.workflow.trial_request import Request


def test_every_framework_of_user_models_can_be_tried():
    known = {*user_model.SUFFIXES}
    assert {item.name for item in iter_modules(descriptions.__path__)} == known
    assert proposal.LAYOUTS.keys() == known
    assert proposal_text.CONVERSIONS.keys() == known
    assert convention_choice.USUAL.keys() == known


def described(shape=(1, 3, 224, 224), outputs=None, **more) -> Description:
    """A description of a classifier, with changes."""
    given = {"logits": (1, 10)} if outputs is None else outputs
    return Description("image", shape, more.pop("dtype", "float32"), given, **more)


def entry(description: Description, source: str = "onnx", output: str = "") -> dict:
    return nested(propose(description, source, output))


def test_the_other_signatures_of_a_savedmodel_are_in_the_reason():
    others = "'from_jpeg' (takes 'jpeg', one string; gives 'logits', float32 any × 10)"
    two = described((0, 32, 32, 3), signature="predict", other_signatures=others)
    assert entry(two, "tensorflow")["signature"] == "predict"
    assert others in propose(two, "tensorflow")["signature"].reason
    assert "signature" not in entry(described((0, 32, 32, 3)), "tensorflow")


@pytest.mark.parametrize(
    ("shape", "source", "expected"),
    [
        ((1, 3, 224, 224), "onnx", {"size": 224, "layout": "NCHW", "resize": 256}),
        ((0, 299, 299, 3), "keras", {"size": 299, "layout": "NHWC", "resize": 342}),
        ((1, 3, 32, 32), "torch", {"size": 32, "layout": "NCHW"}),
        ((1, 28, 28, 1), "tflite", {"size": 28, "layout": "NHWC"}),
        ((1, 3, 32, 48), "onnx", {"size": [32, 48], "layout": "NCHW"}),
        ((0, 3, 0, 0), "onnx", {"size": 224, "layout": "NCHW", "resize": 256}),
        ((0, 0, 0, 3), "onnx", {"size": 224, "layout": "NHWC", "resize": 256}),
        ((1, 3, 64, 0), "onnx", {"size": 64, "layout": "NCHW"}),
        ((0, 0, 0, 0), "tflite", {"size": 224, "layout": "NHWC", "resize": 256}),
    ],
)
def test_input_is_read_from_its_shape(shape, source, expected):
    assert entry(described(shape), source)["input"] == expected


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"y": (1, 1000)}, {"classes": 1000}),
        ({"y": (0, 1001)}, {"classes": 1000, "background": 1}),
        ({"y": (1, 10, 1, 1)}, {"classes": 10}),
        ({"y": (1, 10), "features": (1, 7, 7, 64)}, {"classes": 10, "output_name": "y"}),
    ],
)
def test_classes_are_read_from_the_outputs(outputs, expected):
    found = entry(described(outputs=outputs))
    del found["input"]
    assert found == expected


def test_the_user_says_which_of_two_outputs_has_the_classes():
    two = described(outputs={"logits": (1, 10), "embedding": (1, 64)})
    with pytest.raises(StudyError, match=r"'logits' \(1 × 10\), 'embedding'.*expected OUTPUT=name"):
        propose(two, "onnx")
    assert entry(two, output="logits")["output_name"] == "logits"
    with pytest.raises(StudyError, match="did you mean 'logits'"):
        propose(two, "onnx", "logit")


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (described((1, 128)), "is 1 × 128; expected an image"),
        (described((1, 4, 32, 32)), "expected 1 or 3 channels"),
        (described(outputs={"map": (1, 21, 64, 64)}), r"'map' \(1 × 21 × 64 × 64\); expected one"),
        (described(outputs={"y": (1, 1)}), "no output of the model has a value for each class"),
    ],
)
def test_what_is_no_classifier_of_images_is_refused(description, said):
    with pytest.raises(StudyError, match=said):
        propose(description, "onnx")


@pytest.mark.parametrize(
    ("description", "source", "name", "stated"),
    [
        (described(written_by="pytorch 2.13, opset 18"), "onnx", "imagenet", False),
        (described(written_by="tf2onnx 1.17, opset 18"), "onnx", "tensorflow", False),
        (described(written_by="onnx-caffe2, opset 9"), "onnx", "caffe", False),
        (described(), "torch", "imagenet", False),
        (described(), "keras", "tensorflow", False),
        (described(normalises="Rescaling rescaling"), "keras", "raw", True),
        (described(mean=(0.5,), std=(0.5,)), "tflite", "tensorflow", True),
        (
            described(mean=(123.7 / 255, 116.3 / 255, 103.5 / 255), std=(0.229, 0.224, 0.225)),
            "tflite",
            "imagenet",
            True,
        ),
        (described(dtype="uint8"), "onnx", "raw", True),
        (described(dtype="int8", scale=1.0, zero_point=-128), "tflite", "raw", True),
        (described(dtype="int8", scale=0.01866, zero_point=-14), "onnx", "imagenet", True),
    ],
)
def test_a_convention_is_proposed_before_any_image_is_seen(description, source, name, stated):
    found = convention_choice.prior(description, source, 3)
    assert (found.convention, found.stated) == (name, stated)
    assert (found.mean, found.std) == (CONVENTIONS[name].mean, CONVENTIONS[name].std)


def test_a_normalisation_that_is_no_convention_is_written_out():
    found = convention_choice.prior(described(dtype="int8"), "tflite", 3)
    keys = nested(convention_choice.as_input(found, 3))["input"]
    assert keys["channels"] == "RGB"
    assert keys["mean"] == pytest.approx([128 / 255] * 3)
    assert keys["std"] == pytest.approx([1 / 255] * 3)
    assert found.words == "-128 to 127"
    gray = convention_choice.prior(described((1, 28, 28, 1)), "keras", 1)
    assert gray.words == "0 to 1"
    assert nested(convention_choice.as_input(gray, 1)) == {
        "input": {"channels": "gray", "mean": [0.0], "std": [1.0]}
    }


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [
        ("uint8", 1 / 128, 128),  # Coral's models
        ("int8", 1 / 128, 0),
        ("uint8", 2 / 255, 127),  # calibrated on -1 to 1
        ("int8", 2 / 255, -1),
        ("uint8", 1 / 255, 0),
        ("int8", 1.0, -128),  # MLPerf Tiny's
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_of_a_quantized_input_are_proposed_as_they_are(dtype, scale, zero_point, channels):
    """By `tensorflow`, -1 to 1, half of the pixels of Coral's models are one off."""
    shape = (1, 16, 16, channels)
    metadata = {"mean": (0.5,), "std": (0.5,)}  # of the model before it was quantized
    quantized = described(shape, dtype=dtype, scale=scale, zero_point=zero_point, **metadata)
    found = convention_choice.prior(quantized, "tflite", channels)
    assert found.stated
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    name = "gray" if channels == 1 else "RGB"
    how = Preprocessing(None, (16, 16), "nearest", name, found.mean, found.std, 10, 0)
    given = encode(normalise(pixels, how, "NHWC"), TensorType(dtype, scale, zero_point))[0]
    lowest = int(np.iinfo(dtype).min)
    assert np.array_equal(given.astype(int) - lowest, pixels[..., :channels])


def test_metadata_of_128_are_no_convention():
    found = convention_choice.prior(described(mean=(128 / 255,), std=(128 / 255,)), "tflite", 3)
    assert (found.convention, found.mean) == ("", (128 / 255,) * 3)


def tried(true: list[int], **labels: list[int]) -> dict:
    return {"true_labels": true, "labels": labels, "refused": {}}


def chosen(found: dict, **more) -> str:
    prior = convention_choice.prior(described(**more), "onnx", 3)
    return convention_choice.decide(prior, found, 3).convention


def test_labels_decide_on_the_convention():
    true = [0, 1, 2, 3, -1]
    wrong = [9] * 5
    assert chosen(tried(true, imagenet=[0, 1, 9, 9, 9], tensorflow=[0, 1, 2, 9, 9])) == "tensorflow"
    tie = tried(true, imagenet=[0, 1, 9, 9, 9], tensorflow=[9, 9, 2, 3, 9])
    assert chosen(tie) == "imagenet"
    assert chosen(tried(true, imagenet=wrong, tensorflow=wrong)) == "imagenet"
    assert chosen(tried([-1] * 5, imagenet=wrong, tensorflow=true)) == "imagenet"


def test_a_file_is_overruled_only_by_many_labels():
    says = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    true = list(range(10))
    few = tried(true, imagenet=[0, *[99] * 9], tensorflow=[0, 1, 2, *[99] * 7])
    many = tried(true, imagenet=[0, *[99] * 9], tensorflow=[*range(9), 99])
    assert (chosen(few, **says), chosen(many, **says)) == ("imagenet", "tensorflow")


def test_conventions_are_shown_beside_each_other():
    prior = convention_choice.prior(described(), "torch", 3)
    found = tried([0, 1, -1], imagenet=[0, 1, 5], raw=[0, 7, 6]) | {"refused": {"caffe": "too big"}}
    assert convention_choice.lines(found, prior) == [
        "  imagenet  right on 2 of 2 labelled images  <- proposed",
        "  raw       right on 1 of 2 labelled images, another label than imagenet on 2 of 3",
        "  caffe: too big",
    ]
    unlabelled = convention_choice.lines(found | {"true_labels": [-1] * 3}, prior)
    assert unlabelled[1] == "  raw       another label than imagenet on 2 of 3"


def test_a_model_with_one_answer_for_all_images_is_doubted():
    prior = convention_choice.prior(described(), "torch", 3)
    assert convention_choice.warning(tried([0, 1], imagenet=[5, 6]), prior) == ""
    assert convention_choice.warning(tried([0], imagenet=[5]), prior) == ""
    said = convention_choice.warning(tried([0, 1], imagenet=[5, 5]), prior)
    assert said.startswith("Careful: the model answers class 5 for each of the 2 images.")


NASTY = "a 'b' \"c\" # d: {e}\n- f\u2028é.onnx"


@pytest.mark.parametrize("source", proposal.LAYOUTS)
def test_the_written_config_says_what_was_proposed(source):
    description = described(
        outputs={NASTY: (1, 1001), "other": (1, 7, 7, 3)}, written_by=NASTY, precision="float32"
    )
    model = propose(description, source)
    model |= {"input.convention": Proposed("imagenet", NASTY)}
    images = {"folder": NASTY, "subset": {"count": 100, "seed": 0}}
    content = proposal_text.content("mine", source, NASTY, images, model)
    text = proposal_text.text(content, model, description, {"images": NASTY, "source": NASTY})
    assert yaml.safe_load(text) == content
    assert "input: 'image', float32, 1 × 3 × 224 × 224" in text
    assert "convention: imagenet" in text and "# the first output is that of the background" in text


@pytest.mark.parametrize("source", proposal.LAYOUTS)
def test_each_format_gets_a_valid_config_of_a_few_cells(source, tmp_path, monkeypatch):
    suffix = {"tensorflow": ".tar", "torch": ".pt2"}.get(source, f".{source}")
    path = tmp_path / f"model{suffix}"
    path.write_bytes(b"x")
    monkeypatch.setattr("deltann.study.file_checks.check_models", lambda config: None)
    model = propose(described(), source) | {"input.convention": Proposed("imagenet", "")}
    content = proposal_text.content("mine", source, str(path), {"folder": "x"}, model)
    config = trial_request.resolve(content, "config/mine.yaml", "mine")
    cells = grid.cells(config)
    assert 4 <= len(cells) <= 6
    assert cells[0].target == source and cells[0].backend == "native"
    assert {cell.backend for cell in cells} == {"native", "O0", "O4"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mobilenet_v2_1.0_224.onnx", "mobilenet_v2_1.0_224"),
        ("my model's (última).onnx", "my-model-s-ultima"),
        ("$(touch x).onnx", "touch-x"),
        ("日本.onnx", "model"),
        ("logs.onnx", "logs-model"),
        ("net.savedmodel.tar", "net"),
        ("..onnx", "model"),
    ],
)
def test_a_study_has_a_safe_name(name, expected):
    assert proposal_text.safe_name(Path(name)) == expected


def test_many_images_are_looked_at_in_part():
    request = Request("m.onnx", "photos", 101, "names.txt", "", "onnx", "config/m.yaml", "m")
    description = described()
    prior = convention_choice.prior(description, "onnx", 3)
    draft = trial.Draft(request, description, propose(description, "onnx"), 3)
    config = yaml.safe_load(draft.text(prior))
    assert config == draft.content(prior)
    assert config["images"] == {"folder": "photos", "subset": {"count": 100, "seed": 0}}
    assert config["models"][0]["class_names"] == "names.txt"
    assert config["models"][0]["input"]["convention"] == "imagenet"
    assert "100 of the 101 images" in draft.text(prior)
