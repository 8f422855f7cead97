"""Which signature of a SavedModel takes the images, and what is said if that isn't clear."""

import tarfile

import pytest

from deltann.errors import StudyError
from deltann.formats import folder_tar, signatures
from deltann.formats.signatures import Signature, Tensor
from deltann.models import user_model

IMAGE = Tensor("float32", (None, 32, 32, 3))
LOGITS = {"logits": Tensor("float32", (None, 10))}
PREDICT = Signature({"image": IMAGE}, LOGITS)
BOTH = Signature({"image": IMAGE}, LOGITS | {"probs": Tensor("float32", (None, 10))})
JPEG = Signature({"jpeg": Tensor("string", ())}, LOGITS)
TEXTS = "'from_jpeg' (takes 'jpeg', one string; gives 'logits', float32 any × 10)"
IMAGES = "'predict' (takes 'image', float32 any × 32 × 32 × 3; gives 'logits', float32 any × 10)"


def choose(known: dict, **named: str) -> str:
    return signatures.choose(known, {"name": "mine"} | named)


def refused(known: dict, **named: str) -> str:
    with pytest.raises(ValueError) as caught:
        choose(known, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_choice_that_is_clear_is_made():
    assert choose({"predict": PREDICT}) == "predict"
    assert choose({"a": PREDICT, "serving_default": BOTH}) == "serving_default"
    assert choose({"a": PREDICT, "serving_default": BOTH}, signature="a") == "a"


def test_signatures_are_listed_if_none_is_named():
    listed = f"{TEXTS}, {IMAGES}"
    key = "config key models.mine.signature"
    assert refused({"from_jpeg": JPEG, "predict": PREDICT}) == (
        f"{key} is missing, and the model has 2 signatures: {listed}; expected the name of the one"
        " that takes images"
    )
    assert "is missing" in refused({"predict": PREDICT, "serving_default": JPEG})
    assert refused({"from_jpeg": JPEG, "predict": PREDICT}, signature="predct") == (
        f"{key}: the model has no signature 'predct'; expected one of its 2 signatures: {listed};"
        " did you mean 'predict'?"
    )


def test_a_signature_that_takes_no_images_is_refused():
    said = refused({"from_jpeg": JPEG, "predict": PREDICT}, signature="from_jpeg")
    assert said == (
        "config key models.mine.signature: 'from_jpeg' takes 'jpeg', one string; gives 'logits',"
        f" float32 any × 10; expected a signature with {signatures.WANTED}: {IMAGES}"
    )
    assert refused({"from_jpeg": JPEG}) == (
        f"config key models.mine.file: no signature of the SavedModel takes images: {TEXTS};"
        f" expected a signature with {signatures.WANTED}: the study decodes and resizes the"
        " photographs itself"
    )
    assert refused({"from_jpeg": JPEG}, signature="from_jpeg").endswith("none has it")
    assert "the SavedModel has no signature; expected one that takes images" in refused({})


@pytest.mark.parametrize(
    ("inputs", "fits"),
    [
        ({"x": Tensor("uint8", (1, None, None, 3))}, True),
        ({"x": Tensor("float16", None)}, True),
        ({"x": Tensor("bool", (None, 8, 8, 3))}, False),
        ({"x": Tensor("float32", (8, 8, 3))}, False),
        ({"x": Tensor("float32", (8, 8, 8, 3))}, False),
        ({"x": IMAGE, "training": Tensor("bool", ())}, False),
        ({}, False),
    ],
)
def test_an_image_is_one_input_of_numbers(inputs, fits):
    assert Signature(inputs, LOGITS).takes_images() == fits
    if not fits:
        assert "no signature of the SavedModel takes images" in refused(
            {"f": Signature(inputs, LOGITS)}
        )


def test_an_output_of_texts_has_no_values_of_classes():
    names = Tensor("string", (None,))
    assert list(Signature({"image": IMAGE}, LOGITS | {"names": names}).answers()) == ["logits"]


def test_a_config_is_proposed_for_the_signature_that_takes_images():
    assert signatures.proposed({"from_jpeg": JPEG, "predict": PREDICT}) == "predict"
    assert signatures.proposed({"both": BOTH, "score": PREDICT}) == "score"
    assert signatures.proposed({"score": PREDICT, "serving_default": BOTH}) == "serving_default"
    with pytest.raises(ValueError, match="no signature of the SavedModel takes images"):
        signatures.proposed({"from_jpeg": JPEG})


def test_only_a_saved_model_has_signatures():
    described = {"name": "mine", "source": "onnx", "signature": "predict", "classes": 10}
    described |= {"background": 0, "input": {"channels": "RGB", "mean": [0] * 3, "std": [1] * 3}}
    described["input"] |= {"size": 32, "layout": "NHWC", "interpolation": "bilinear"}
    with pytest.raises(StudyError, match="models.mine.signature: 'predict'; expected no signature"):
        user_model.check(described)
    user_model.check(described | {"source": "tensorflow", "output_name": "logits"})


def test_a_tar_may_have_the_folder_or_its_files(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"model")
    for name, inside in (("files", "."), ("folder", "saved")):
        with tarfile.open(tmp_path / f"{name}.tar", "w") as made:
            made.add(tmp_path / "saved", inside)
        found = folder_tar.saved_model(tmp_path / f"{name}.tar", tmp_path / name)
        assert (found / "saved_model.pb").read_bytes() == b"model"
    assert folder_tar.saved_model(tmp_path / "saved", tmp_path / "none") == tmp_path / "saved"


def test_what_is_no_tar_of_a_saved_model_is_refused(tmp_path):
    (tmp_path / "text.tar").write_text("no tar")
    with pytest.raises(ValueError, match="text.tar' is no tar; expected a tar of a SavedModel's"):
        folder_tar.saved_model(tmp_path / "text.tar", tmp_path / "made")
    with tarfile.open(tmp_path / "none.tar", "w") as made:
        made.add(tmp_path / "text.tar", "text")
    with pytest.raises(ValueError, match="none.tar' has 0 files named saved_model.pb; expected"):
        folder_tar.saved_model(tmp_path / "none.tar", tmp_path / "made")
