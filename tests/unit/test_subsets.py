"""Subsets of photographs: drawn by a seed or listed; and the program that lists them."""

import csv
import hashlib

import pytest

from deltann.errors import StudyError
from deltann.execution import environment
from deltann.provenance import files
from helpers.photographs import EXPECTED, NAMES, fill, listed, script


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
