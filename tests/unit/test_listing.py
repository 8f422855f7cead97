"""Which photographs a study has, by folders and labels; and what is refused before any job."""

import hashlib
import os

import pytest

from deltann.errors import StudyError
from deltann.images import listing
from deltann.images.collection import UNKNOWN_LABEL
from deltann.provenance import files
from deltann.study import file_checks
from helpers.photographs import CLASSES, ODD, fill, listed


def test_a_folder_gives_its_images_by_name_with_their_labels(folder):
    fill(folder, "b.png", "a.jpg", "notes.txt", ".hidden.png", labels="label,image,x\n7,b.png,n\n")
    (folder / "inner.jpg").mkdir()
    assert list(listed(folder).items()) == [("a.jpg", UNKNOWN_LABEL), ("b.png", 7)]


def test_every_file_has_its_digest(folder):
    (entry,) = listing.list_photographs(fill(folder, "a.jpg"), {}, CLASSES)
    assert entry.sha256 == hashlib.sha256(b"a.jpg").hexdigest()


def test_upper_case_suffixes_are_images(folder):
    assert list(listed(fill(folder, "C.JPG", "a.jpg"))) == ["C.JPG", "a.jpg"]


def test_a_byte_order_mark_and_windows_lines_are_read(folder):
    labels = b"\xef\xbb\xbfimage,label\r\na.jpg,1\r\nb.png, 2\r\n"
    assert listed(fill(folder, "a.jpg", "b.png", labels=labels)) == {"a.jpg": 1, "b.png": 2}


def test_folders_named_by_numbers_are_classes(folder):
    fill(folder, "3/a.png", "07/a.png", "b.png")
    assert listed(folder) == {"07/a.png": 7, "3/a.png": 3, "b.png": UNKNOWN_LABEL}


def test_folders_named_by_wordnet_are_classes(folder):
    fill(folder, "n01440764/a.png", "n15075141/a.png", "n02510455/b.png")
    expected = {"n01440764/a.png": 0, "n02510455/b.png": 388, "n15075141/a.png": 999}
    assert listed(folder) == expected


def test_validation_images_have_their_published_labels(folder):
    # the first lines of the labels that the ILSVRC-2012 development kit publishes
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in (1, 2, 3)]
    fill(folder, *names, "ILSVRC2012_val_00000004.png", "other.png")
    labels = listed(folder)
    assert [labels[name] for name in names] == [65, 970, 230]
    assert labels["ILSVRC2012_val_00000004.png"] == 809
    assert labels["other.png"] == UNKNOWN_LABEL


def test_a_labels_file_goes_before_folders_and_these_before_names(folder):
    name = "ILSVRC2012_val_00000001.JPEG"
    fill(folder, f"5/{name}")
    assert listed(folder) == {f"5/{name}": 5}
    fill(folder, "cats/b.png", labels=f"image,label\n5/{name},9\n")
    assert listed(folder) == {f"5/{name}": 9, "cats/b.png": UNKNOWN_LABEL}


def test_a_linked_class_folder_counts(folder, tmp_path):
    fill(tmp_path / "elsewhere", "a.png")
    (folder / "4").symlink_to(tmp_path / "elsewhere")
    assert listed(folder) == {"4/a.png": 4}


@pytest.mark.parametrize("name", ODD)
def test_names_are_only_names(folder, tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    fill(folder, name, "other.png", labels=f"image,label\n{quoted},5\n")
    entries = listing.list_photographs(folder, {}, CLASSES)
    files.write_text(tmp_path / "list.csv", listing.to_csv(entries))
    assert listing.read(tmp_path / "list.csv") == entries
    read = {entry.image: data for entry, data in listing.contents(folder, entries)}
    assert read[name] == name.encode()
    assert {entry.image: entry.label for entry in entries}[name] == 5


REFUSED = {
    "no image": (["notes.txt"], None, "has no image; expected files.*jpeg"),
    "names that differ in case": (["a.jpg", "A.jpg"], None, "duplicate names 'A.jpg' and 'a.jpg'"),
    "names that differ in their accents' bytes": (
        ["\u00e9.jpg", "e\u0301.jpg"],
        None,
        "duplicate names",
    ),
    "a folder of no class": (["cats/a.png"], None, "'cats/a.png' is in 'cats'; expected.*n0144"),
    "folders in folders": (["1/2/a.png"], None, "'1/2/a.png' is in '1/2'; expected"),
    "an unknown WordNet ID": (["n00000001/a.png"], None, "has no n00000001; expected"),
    "no validation image": (
        ["ILSVRC2012_val_00050001.JPEG"],
        None,
        "has no ILSVRC2012_val_00050001.JPEG; expected",
    ),
    "a class that no model has": (["1000/a.png"], None, "'1000/a.png' is 1000; expected.*0 to 999"),
    "a label that no model has": (["a.png"], "image,label\na.png,1000\n", "'a.png' is 1000; ex"),
    "other columns": (["a.jpg"], "name,label\na.jpg,1\n", r"\['name', 'label'\]; expected image"),
    "an empty labels file": (["a.jpg"], "", "expected image and label"),
    "a label of no image": (["a.jpg"], "image,label\nc.jpg,1\n", "line 2: 'c.jpg' is not an image"),
    "two labels": (
        ["a.jpg", "b.png"],
        "image,label\na.jpg,1\nb.png,2\na.jpg,1\n",
        "line 4: 'a.jpg' is named twice",
    ),
    "a word for a label": (["a.jpg"], "image,label\na.jpg,cat\n", "line 2: label 'cat'; expected"),
    "a negative label": (["a.jpg"], "image,label\na.jpg,-1\n", "label '-1'"),
    "a fraction": (["a.jpg"], "image,label\na.jpg,1.0\n", "label '1.0'"),
    "no label": (["a.jpg"], "image,label\na.jpg,\n", "label ''"),
    "a short line": (["a.jpg"], "image,label\na.jpg\n", "label ''"),
    "an endless number": (["a.jpg"], "image,label\na.jpg," + "9" * 5000, "label '999"),
    "labels in Latin 1": (["a.jpg"], b"image,label\n\xe9.jpg,1\n", "labels.csv: not UTF-8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_folder_is_refused_by_name(folder, case):
    names, labels, message = REFUSED[case]
    with pytest.raises(StudyError, match=f"(?s)photographs.*{message}"):
        listed(fill(folder, *names, labels=labels))


@pytest.mark.parametrize("name", ["missing", "a.jpg"])
def test_no_folder_is_named(folder, name):
    fill(folder, "a.jpg")
    with pytest.raises(StudyError, match=f"images.folder: '.*{name}' is not a folder"):
        listed(folder / name)


def test_a_link_to_nothing_is_named(folder):
    fill(folder, "a.jpg")
    (folder / "b.jpg").symlink_to(folder / "gone.jpg")
    with pytest.raises(StudyError, match="images.folder: .*'b.jpg' is a broken link"):
        listed(folder)


def test_a_name_that_is_no_text_is_named(folder):
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")
    with pytest.raises(StudyError, match=r"images.folder: .*xff.png' is not UTF-8"):
        listed(folder)


def test_links_in_a_circle_end(folder):
    fill(folder, "a.jpg")
    (folder / "5").symlink_to(folder)
    assert listed(folder) == {"5/a.jpg": 5, "a.jpg": UNKNOWN_LABEL}


def test_a_file_that_changed_since_is_named(folder):
    entries = listing.list_photographs(fill(folder, "a.jpg"), {}, CLASSES)
    (folder / "a.jpg").write_text("other")
    with pytest.raises(StudyError, match="images.folder: .*'a.jpg' has changed since"):
        list(listing.contents(folder, entries))


def test_a_list_of_another_kind_is_named(tmp_path):
    (tmp_path / "list.csv").write_text("a,b\n")
    with pytest.raises(StudyError, match="list.csv: columns are"):
        listing.read(tmp_path / "list.csv")


def check(images: dict) -> None:
    """Check the smallest config with these images."""
    file_checks.check_images(
        {
            "study": "small",
            "images": images,
            "models": ["efficientnet_lite0"],
            "conversions": {"torch": {"torch": [[]]}},
            "backends": ["native"],
            "tvm_imports": {},
            "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
        }
    )


def test_good_images_pass_the_checks(folder):
    fill(folder, *ODD, "n01440764/a.png", "999/b.png", "ILSVRC2012_val_00000001.JPEG")
    check({"folder": str(folder), "subset": {"count": 12, "seed": 0}})
    check({"package": "foolbox==3.3.4", "sha256": "0" * 64, "subset": {"count": 99, "seed": 0}})


@pytest.mark.parametrize(
    ("names", "subset", "message"),
    [
        (["1000/a.png"], {}, "'1000/a.png' is 1000; expected.*efficientnet_lite0's.*0 to 999"),
        (["cats/a.png"], {}, "'cats/a.png' is in 'cats'"),
        (["a.png"], {"count": 2, "seed": 0}, "images.subset.count: 2; expected at most 1"),
        (["a.png"], {"list": "nowhere.txt"}, "images.subset.list: 'nowhere.txt' can't be read"),
        (["a.png"], {"list": "{x}.txt"}, "images.subset.list: '{x}.txt' has a brace"),
        (["{model}.png"], {}, "images.folder: '{model}.png' has a brace"),
    ],
)
def test_what_is_known_before_any_job_is_refused_there(folder, names, subset, message):
    with pytest.raises(StudyError, match=message):
        check({"folder": str(fill(folder, *names)), "subset": subset})


def test_an_empty_image_is_listed_as_other_broken_ones(folder):
    """The stage `prepare` leaves it out, and says so."""
    fill(folder, "a.png", "b.png")
    (folder / "b.png").write_bytes(b"")
    check({"folder": str(folder)})
    assert [entry.image for entry in listing.list_photographs(folder, {}, CLASSES)] == [
        "a.png",
        "b.png",
    ]


def test_a_missing_list_is_refused_for_a_package_too():
    with pytest.raises(StudyError, match="images.subset.list: 'nowhere.txt'"):
        check({"package": "foolbox==3.3.4", "sha256": "0" * 64, "subset": {"list": "nowhere.txt"}})
