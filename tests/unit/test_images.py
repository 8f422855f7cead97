"""Which photographs a study has: from folders, packages and downloads, with labels, in part."""

import csv
import functools
import hashlib
import http.server
import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from deltann.errors import StudyError
from deltann.execution import environment
from deltann.images import listing
from deltann.images.collection import UNKNOWN_LABEL
from deltann.provenance import files
from deltann.study import file_checks
from helpers.workspace import ROOT

SCRIPTS = ROOT / "scripts"
CLASSES = 1000
ODD = [
    "two words.png",
    'it\'s "q".png',
    "-rf.png",
    "été 猫.png",
    "$(touch x).png",
    "a,b;c.png",
    "new\nline.png",
    "carriage\rreturn.png",
    "back\\slash.png",
]


def fill(folder: Path, *names: str, labels: str | bytes | None = None) -> Path:
    """Files with these names, each with its name as its content, and a labels file."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    if labels is not None:
        data = labels if isinstance(labels, bytes) else labels.encode()
        (folder / "labels.csv").write_bytes(data)
    return folder


@pytest.fixture
def folder(tmp_path):
    """An empty folder for photographs."""
    path = tmp_path / "photographs"
    path.mkdir()
    return path


def listed(images: Path, classes: int = CLASSES, **subset) -> dict[str, int]:
    """The labels of a study's photographs, by name, in their order."""
    return {entry.image: entry.label for entry in listing.list_photographs(images, subset, classes)}


# --- folders and labels


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


# --- subsets


NAMES = [f"{number:02d}.png" for number in range(40)]
EXPECTED = ["10.png", "14.png", "24.png", "30.png"]


def test_a_subset_is_of_the_size_and_in_order(folder):
    chosen = list(listed(fill(folder, *NAMES), count=7, seed=0))
    assert len(chosen) == 7
    assert chosen == sorted(chosen)


def test_a_subset_is_the_same_everywhere(folder, tmp_path):
    # These and no others: another way to draw would change everybody's studies.
    assert list(listed(fill(folder, *NAMES), count=4, seed=0)) == EXPECTED
    again = fill(tmp_path / "again", *reversed(NAMES))
    assert list(listed(again, count=4, seed=0)) == EXPECTED


def test_a_larger_subset_contains_the_smaller_one(folder):
    fill(folder, *NAMES)
    chosen = [set(listed(folder, count=count, seed=3)) for count in range(1, 41)]
    assert all(small < large for small, large in zip(chosen, chosen[1:], strict=False))
    assert chosen[-1] == set(NAMES)


def test_another_seed_gives_another_subset(folder):
    fill(folder, *NAMES)
    assert len({tuple(listed(folder, count=5, seed=seed)) for seed in range(10)}) == 10


def test_seeds_draw_every_image_as_often(folder):
    fill(folder, *NAMES[:8])
    drawn = [name for seed in range(400) for name in listed(folder, count=2, seed=seed)]
    assert all(60 < drawn.count(name) < 140 for name in NAMES[:8])  # 100 expected, sigma 9


def test_labels_of_images_that_are_not_chosen_do_not_matter(folder):
    fill(folder, "a.png", "b.png", labels="image,label\na.png,1\nb.png,5000\n")
    (folder.parent / "list.txt").write_text("a.png\n")
    assert listed(folder, list=str(folder.parent / "list.txt")) == {"a.png": 1}


def test_more_images_than_there_are_is_refused(folder):
    with pytest.raises(StudyError, match=r"images\.subset\.count: 3; expected at most 2.*folder"):
        listed(fill(folder, "a.png", "b.png"), count=3, seed=0)


def test_a_list_names_the_images(folder, tmp_path):
    fill(folder, "a.png", "b c.png", "1/d.png", "été.png")
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeff1/d.png\r\n\r\nété.png\r\nb c.png".encode())
    assert list(listed(folder, list=str(path))) == ["1/d.png", "b c.png", "été.png"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "images.subset.list: '.*list.txt' is empty; expected one image per line"),
        (b"a.png\nz.png\n", r"list.txt, line 2: 'z.png' is not an image \(images.folder"),
        (b"a.png\n\na.png\n", "list.txt, line 3: 'a.png' is named twice"),
        (b"\xff\n", "list.txt: not UTF-8"),
        (None, "images.subset.list: '.*list.txt' can't be read: No such file"),
    ],
)
def test_a_bad_list_is_refused_by_name(folder, tmp_path, data, message):
    if data is not None:
        (tmp_path / "list.txt").write_bytes(data)
    with pytest.raises(StudyError, match=message):
        listed(fill(folder, "a.png"), list=str(tmp_path / "list.txt"))


# --- before any job


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


def test_an_empty_image_is_refused_if_it_is_chosen(folder):
    fill(folder, "a.png", "b.png")
    (folder / "b.png").write_bytes(b"")
    with pytest.raises(StudyError, match="images.folder: empty image file: .*b.png"):
        check({"folder": str(folder)})
    (folder.parent / "list.txt").write_text("a.png\n")
    check({"folder": str(folder), "subset": {"list": str(folder.parent / "list.txt")}})


def test_a_missing_list_is_refused_for_a_package_too():
    with pytest.raises(StudyError, match="images.subset.list: 'nowhere.txt'"):
        check({"package": "foolbox==3.3.4", "sha256": "0" * 64, "subset": {"list": "nowhere.txt"}})


# --- packages and downloads


def test_the_packages_photographs_have_their_labels(tmp_path):
    wheel = tmp_path / "foolbox-3.3.4.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("imagenet_01_243.jpg", "imagenet_00_7.jpg", "cifar10_00_3.png", "notes.txt"):
            archive.writestr(f"foolbox/data/{name}", name)
        archive.writestr("foolbox/imagenet_02_1.jpg", "elsewhere")
    assert listed(wheel) == {"imagenet_00_7.jpg": 7, "imagenet_01_243.jpg": 243}
    assert list(listed(wheel, count=1, seed=0).values())[0] in (7, 243)
    with pytest.raises(StudyError, match="images.package: .*0 to 99"):
        listed(wheel, classes=100)


@pytest.mark.parametrize("suffix", ["whl", "zip"])
def test_a_file_that_is_no_archive_is_named(tmp_path, suffix):
    (tmp_path / f"text.{suffix}").write_text("text")
    with pytest.raises(StudyError, match=rf"images\..*text\.{suffix}: not an archive, or damaged"):
        listed(tmp_path / f"text.{suffix}")


def script(name: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run a stage's program by hand."""
    command = [sys.executable, SCRIPTS / name, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def fetch(source: Path | str, output: Path, sha256: str | None = None):
    """Run the download of a file or URL, which has the right SHA-256 unless another is given."""
    if isinstance(source, Path):
        sha256 = sha256 or files.sha256(source)
        source = source.as_uri()
    return script("fetch_images.py", "--url", source, "--sha256", sha256, "--output", str(output))


def tarred(path: Path, *members: tarfile.TarInfo | str, mode: str = "w:gz") -> Path:
    """A tar archive; a member without more is a file with its name as content."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            data = os.fsencode(info.name)
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def zipped(path: Path, *members: zipfile.ZipInfo | str) -> Path:
    """A zip archive; every member is a file with its name as content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            archive.writestr(member, getattr(member, "filename", member))
    return path


def member(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.devmajor, info.devminor = kind, "a.png", 1, 3
    return info


def zip_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_download_is_as_good_as_a_folder(tmp_path, kind):
    names = ["n01440764/a.png", "3/a.png", "ILSVRC2012_val_00000001.JPEG", "notes.txt"]
    path = tmp_path / f"images.{kind}"
    if kind == "zip":
        zipped(path, *names)
    else:
        tarred(path, *names, mode=f"w:{kind[4:]}")
    done = fetch(path, tmp_path / "out.zip")
    assert done.returncode == 0, done.stdout
    expected = listed(fill(tmp_path / "folder", *names))
    assert listed(tmp_path / "out.zip") == expected
    entries = listing.list_photographs(tmp_path / "out.zip", {}, CLASSES)
    read = listing.contents(tmp_path / "out.zip", entries)
    assert [data.decode() for _, data in read] == sorted(expected)
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted(
        ["folder", path.name, "out.zip"]
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["top/val/3/a.png", "top/val/4/a.png"], {"3/a.png": 3, "4/a.png": 4}),
        (["top/3/a.png", "top/3/b.png"], {"3/a.png": 3, "3/b.png": 3}),
        (["./a.png", "./b//c.png"], None),
        (["./3/a.png", "__MACOSX/3/._a.png", ".DS_Store"], {"3/a.png": 3}),
        (["top/a.png"], {"a.png": -1}),
    ],
)
def test_folders_around_everything_mean_nothing(tmp_path, names, expected):
    assert fetch(tarred(tmp_path / "i.tgz", *names), tmp_path / "out.zip").returncode == 0
    if expected is None:
        with pytest.raises(StudyError, match="images.url: .*'b/c.png' is in 'b'"):
            listed(tmp_path / "out.zip")
    else:
        assert listed(tmp_path / "out.zip") == expected


def test_a_download_brings_its_labels(tmp_path):
    with zipfile.ZipFile(tmp_path / "i.zip", "w") as archive:
        archive.writestr("top/cats/a.png", "a")
        archive.writestr("top/labels.csv", "image,label\ncats/a.png,8\n")
    assert fetch(tmp_path / "i.zip", tmp_path / "out.zip").returncode == 0
    assert listed(tmp_path / "out.zip") == {"cats/a.png": 8}


def test_odd_names_in_a_download_are_only_names(tmp_path):
    assert fetch(tarred(tmp_path / "i.tar", *ODD, mode="w"), tmp_path / "out.zip").returncode == 0
    assert sorted(listed(tmp_path / "out.zip")) == sorted(ODD)
    assert {item.name for item in tmp_path.iterdir()} == {"i.tar", "out.zip"}


def test_the_same_download_gives_the_same_bytes(tmp_path):
    path = tarred(tmp_path / "i.tar", "a.png", "b.png")
    fetch(path, tmp_path / "1.zip")
    fetch(path, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


UNSAFE = {
    "above": (["../a.png"], "'../a.png' leads outside"),
    "a detour": (["x/../../a.png"], "'x/../../a.png' leads outside"),
    "from the root": (["/tmp/a.png"], "'/tmp/a.png' leads outside"),
    "above and no image": (["a.png", "../.bashrc"], "'../.bashrc' leads outside"),
    "a folder above": ([member("../x", tarfile.DIRTYPE)], "'../x' leads outside"),
    "a link": ([member("l.png", tarfile.SYMTYPE)], "'l.png' is a link or a device"),
    "a hard link": (["a.png", member("l.png", tarfile.LNKTYPE)], "'l.png' is a link or a device"),
    "a device": ([member("null", tarfile.CHRTYPE)], "'null' is a link or a device"),
    "a pipe": ([member("pipe.png", tarfile.FIFOTYPE)], "'pipe.png' is a link or a device"),
    "a name twice": (["a.png", "./a.png"], "duplicate name 'a.png'"),
    "a name that is no text": ([os.fsdecode(b"\xff.png")], "dcff.png' is not UTF-8"),
    "no image": (["notes.txt", "labels.csv"], "has no image"),
    "nothing": ([], "has no image"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_a_bad_tar_archive_is_refused_by_name(tmp_path, case):
    members, message = UNSAFE[case]
    refused(tarred(tmp_path / "images.tgz", *members), message)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["../a.png"], "'../a.png' leads outside"),
        (["/a.png"], "'/a.png' leads outside"),
        (["../x/"], "'../x/' leads outside"),
        ([zip_link("l.png")], "'l.png' is a link or a device"),
        (["a.png", "./a.png"], "duplicate name 'a.png'"),
        (["notes.txt"], "has no image"),
    ],
)
def test_a_bad_zip_archive_is_refused_by_name(tmp_path, members, message):
    refused(zipped(tmp_path / "images.zip", *members), message)


def refused(path: Path, message: str) -> None:
    """The download is refused in one line that names its address, and nothing is left behind."""
    before = sorted(path.parent.rglob("*"))
    done = fetch(path, path.parent / "out.zip")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1, done.stdout
    assert f"images.url: '{path.as_uri()}'" in done.stdout
    assert message in done.stdout
    assert sorted(path.parent.rglob("*")) == before


def test_damage_is_refused(tmp_path):
    cut = tarred(tmp_path / "cut.tgz", *NAMES)
    cut.write_bytes(cut.read_bytes()[:-40])
    refused(cut, "is damaged")
    path = zipped(tmp_path / "flipped.zip", "a.png")
    data = bytearray(path.read_bytes())
    data[36] ^= 0xFF  # in the compressed content
    path.write_bytes(data)
    refused(path, "is damaged")
    (tmp_path / "text.zip").write_text("no archive")
    refused(tmp_path / "text.zip", "is not a zip or tar archive")


def test_a_zip_archive_at_the_end_of_a_tar_archive_changes_nothing(tmp_path):
    inner = zipped(tmp_path / "inner.zip", "wrong.png").read_bytes()
    with tarfile.open(tmp_path / "outer.tar", "w") as archive:
        for name, data in (("a.png", b"a"), ("inner.zip", inner)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert fetch(tmp_path / "outer.tar", tmp_path / "out.zip").returncode == 0
    assert listed(tmp_path / "out.zip") == {"a.png": UNKNOWN_LABEL}


def test_another_sha256_is_refused(tmp_path):
    path = zipped(tmp_path / "i.zip", "a.png")
    done = fetch(path, tmp_path / "out.zip", sha256="0" * 64)
    assert done.returncode == 1
    assert f"has the SHA-256 {files.sha256(path)}; expected {'0' * 64}" in done.stdout
    assert not (tmp_path / "out.zip").exists()


@pytest.fixture
def server(tmp_path):
    """An HTTP server of a folder; its address."""
    (tmp_path / "served").mkdir()
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_http_is_fetched(tmp_path, server, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    path = zipped(tmp_path / "served/i.zip", "3/a.png")
    done = fetch(f"{server}/i.zip", tmp_path / "out.zip", files.sha256(path))
    assert done.returncode == 0, done.stdout
    assert listed(tmp_path / "out.zip") == {"3/a.png": 3}
    done = fetch(f"{server}/gone.zip", tmp_path / "out2.zip", "0" * 64)
    assert done.returncode == 1
    assert f"images.url: '{server}/gone.zip' could not be fetched: HTTP Error 404" in done.stdout


@pytest.mark.parametrize("url", ["file:///nowhere/i.zip", "http://127.0.0.1:1/i.zip", "nonsense"])
def test_an_address_that_gives_nothing_is_named(tmp_path, url, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    done = fetch(url, tmp_path / "out.zip", "0" * 64)
    assert done.returncode == 1
    assert f"images.url: '{url}' could not be fetched: " in done.stdout
    assert "Traceback" not in done.stdout
    assert list(tmp_path.iterdir()) == []


# --- the stage's program


def test_the_program_lists_what_is_asked_for(folder, tmp_path):
    fill(folder, *NAMES, labels="image,label\n" + "".join(f"{name},1\n" for name in NAMES))
    files.write_json(tmp_path / "manifest.json", environment.describe())
    done = script(
        "photographs.py",
        f"--images={folder}",
        "--count=4",
        "--seed=0",
        "--classes=10",
        f"--environment={tmp_path / 'manifest.json'}",
        f"--output={tmp_path / 'list.csv'}",
        f"--record={tmp_path / 'list.json'}",
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout == "4 photographs, 4 of them labelled\n"
    with open(tmp_path / "list.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["image"] for row in rows] == EXPECTED
    assert {row["label"] for row in rows} == {"1"}
    assert rows[0]["sha256"] == hashlib.sha256(EXPECTED[0].encode()).hexdigest()
