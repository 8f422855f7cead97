"""Names of classes: read from a file, taken for labels, and shown instead of numbers."""

import pytest

from deltann.errors import StudyError
from deltann.images import class_names, listing
from deltann.study import file_checks, model_sources
from helpers.photographs import fill

NAMES = ["cat", "dog", "crane", "crane"]
UNNAMED = {"name": "unnamed", "source": "onnx", "classes": 4, "background": 0}
NAMED = UNNAMED | {"name": "named", "class_names": "names.txt"}


def write(folder, *names: str) -> str:
    """A file of class names, as from Windows."""
    path = folder / "classes.txt"
    path.write_bytes("\r\n".join(["\ufeff" + names[0], *names[1:], ""]).encode())
    return str(path)


def config(file: str, *more: dict) -> dict:
    """A config with models whose classes this file names."""
    mine = {"name": "mine", "source": "onnx", "class_names": file, "classes": 4, "background": 0}
    return {"models": [mine, *more], "images": {}}


def labels(folder, content: str, names=NAMES, files=("a.jpg", "b.jpg")) -> list[int]:
    entries = listing.list_photographs(fill(folder, *files, labels=content), {}, 4, names)
    return [entry.label for entry in entries]


def test_names_are_read_in_order(tmp_path):
    assert class_names.read(write(tmp_path, *NAMES), 4, 0) == NAMES
    assert class_names.read(write(tmp_path, "background", *NAMES), 4, 1) == NAMES
    assert class_names.read(write(tmp_path, *NAMES), 4, 1) == NAMES


def test_a_name_of_two_classes_is_shown_with_its_number():
    assert class_names.shown(NAMES) == ["cat", "dog", "crane (2)", "crane (3)"]


def test_labels_may_be_names_or_numbers(folder):
    assert labels(folder, "image,label\na.jpg, dog\nb.jpg,3\n") == [1, 3]


def test_folders_may_be_named_by_classes(folder):
    assert labels(folder, None, files=("dog/a.jpg", "0/b.jpg")) == [0, 1]


@pytest.mark.parametrize(
    ("label", "names", "said"),
    [
        (
            "dgo",
            NAMES,
            "line 2: label 'dgo'; .*from 0 or a name in class_names; did you mean 'dog'",
        ),
        ("crane", NAMES, "line 2: label 'crane' is the name of classes 2, 3; expected a number"),
        ("1", ["1", "0", "2"], "line 2: label '1' is a class's number and the name of class 0"),
        ("dog", [], "line 2: label 'dog'; expected a class number from 0$"),
    ],
)
def test_a_label_that_is_no_class_is_refused(folder, label, names, said):
    with pytest.raises(StudyError, match=said):
        labels(folder, f"image,label\na.jpg,{label}\n", names)


def test_a_folder_that_is_no_class_is_refused(folder):
    with pytest.raises(StudyError, match="a class number or a name in class_names; did you mean"):
        labels(folder, None, files=("dogs/a.jpg",))


def test_a_file_that_does_not_fit_is_refused_before_any_job(tmp_path):
    with pytest.raises(StudyError) as raised:
        file_checks.check_class_names(config(file := write(tmp_path, "cat", "dog")))
    assert str(raised.value) == (
        f"config key models.mine.class_names: {file!r} has 2 lines; expected 4: one name a line, in"
        " the order of the classes"
    )
    with pytest.raises(StudyError, match="line 2 is empty; expected a class's name"):
        file_checks.check_class_names(config(write(tmp_path, "cat", "", "dog", "cow")))
    with pytest.raises(StudyError, match="models.mine.class_names: '.*nowhere' can't be read"):
        file_checks.check_class_names(config(str(tmp_path / "nowhere")))


def test_models_of_a_study_have_the_same_classes(tmp_path):
    (tmp_path / "other").mkdir()
    other = {"name": "other", "classes": 2, "background": 0}
    other["class_names"] = write(tmp_path / "other", "dog", "cat")
    given = config(write(tmp_path, *NAMES), other)
    with pytest.raises(StudyError) as raised:
        file_checks.check_class_names(given)
    assert str(raised.value) == (
        "config key models.other.class_names: class 0 is 'dog', and 'cat' of another model;"
        " expected the same classes for all models of a study"
    )
    other["class_names"] = write(tmp_path / "other", "cat", "dog")
    assert file_checks.check_class_names(given) == NAMES
    # jobs get the names of all classes
    assert class_names.read(**model_sources.study_class_names(given)) == NAMES
    assert model_sources.study_class_names({"models": ["efficientnet_lite0"]}) is None


def test_known_models_have_published_names():
    names = class_names.published(class_names.IMAGENET)
    assert len(names) == 1000 and (names[0], names[243]) == ("tench", "Bullmastiff")
    shown = class_names.shown(names)
    assert len(set(shown)) == 1000 and class_names.from_text(class_names.to_text(names)) == shown


@pytest.mark.parametrize(
    ("models", "published"),
    [
        (["efficientnet_lite0", "mobilenet_v2"], class_names.IMAGENET),
        ([UNNAMED], ""),
        (["efficientnet_lite0", UNNAMED], ""),  # its class 7 may be another one
        (["efficientnet_lite0", NAMED], ""),
    ],
)
def test_published_names_hold_if_they_hold_for_all_models(models, published):
    assert model_sources.published_class_names({"models": models}) == published
