"""Which images the explorer has, their thumbnails, and how it words the cells of an answer."""

import base64
import io
import json

import h5netcdf
import numpy as np
import pytest
from PIL import Image

from deltann.errors import StudyError
from deltann.explorer import answers, thumbnails
from deltann.images import prepared
from helpers.explored import disagreeing, ran, study
from helpers.made_up_cells import CLASSES, cell


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return disagreeing(tmp_path_factory.mktemp("disagreeing"))


def test_images_are_those_that_cells_disagree_on_most_first(sample):
    found = answers.collect(sample, 10_000)
    assert (found.total, found.closest) == (3, [])
    assert [(entry.name, entry.within, entry.between) for entry in found.disagreements] == [
        ("2.jpg", 2, 2),
        ("1.jpg", 1, 1),
        ("3.jpg", 0, 3),
    ]


def test_every_answer_has_its_cells_and_margins(sample):
    (part,) = json.loads(answers.collect(sample, 10_000).disagreements[1].text)["models"]
    assert part == {
        "model": "m",
        "truth": 0,
        "within": 1,
        "between": 1,
        "answers": [[1, "0-1,4-6", 0.5, 0.2], [4, "2", 0.125, 0.125]],
    }


def test_models_are_apart_and_unseen_images_no_answers(tmp_path):
    fewer = {"image": np.array(["1.jpg"]), "true_label": np.array([-1])}
    dataset = study(
        tmp_path,
        [
            ran(cell("torch"), [1, 2, 3], [0.9, 0.8, 0.1]),
            ran(cell("torch", model="n"), [7], **fewer),
            ran(cell("torch", "O0", model="n"), [8], **fewer),
        ],
    )
    found = answers.collect(dataset, 10_000)
    (entry,) = found.disagreements
    (part,) = json.loads(entry.text)["models"]
    assert (entry.name, part["model"], part["truth"]) == ("1.jpg", "n", None)
    assert [answer[:2] for answer in part["answers"]] == [[7, "1"], [8, "2"]]
    # the other model's cells agree: these are its closest calls
    assert [entry.name for entry in found.closest] == ["2.jpg", "1.jpg", "0.jpg"]
    assert [part["model"] for part in json.loads(found.closest[1].text)["models"]] == ["m"]


@pytest.mark.parametrize("block", [2, 100])
def test_images_of_all_blocks_are_found(tmp_path, monkeypatch, block):
    monkeypatch.setattr(answers, "CHUNK_IMAGES", block)
    labels = np.arange(7) % CLASSES
    other = (labels + (np.arange(7) % 3 == 0)) % CLASSES
    cells = [ran(cell("torch"), labels), ran(cell("torch", "O0"), other)]
    margins = [0.5, 0.4, 0.9, 0.1, 0.3, 0.2, 0.6]
    cells += [ran(cell("torch", name, model="n"), labels, margins) for name in ("native", "O0")]
    found = answers.collect(study(tmp_path, cells), 10_000)
    assert [entry.name for entry in found.disagreements] == ["0.jpg", "3.jpg", "6.jpg"]
    assert [int(entry.name[0]) for entry in found.closest] == [3, 5, 4, 1, 0, 6, 2]


def test_thumbnail_is_of_the_first_file_that_holds_the_image(tmp_path):
    paths = [tmp_path / "a.nc", tmp_path / "b.nc"]
    for path, names, grey in zip(paths, (["a", "b"], ["b", "c"]), (40, 200), strict=True):
        with h5netcdf.File(path, "w") as file:
            writer = prepared.Writer(file, (32, 32))
            for name in names:
                writer.add(name, -1, np.full((32, 32, 3), grey, np.uint8))
            writer.finish([])
    with thumbnails.drawing(paths) as draw:
        for name, grey in (("b", 40), ("c", 200)):
            picture = Image.open(io.BytesIO(base64.b64decode(draw(name))))
            assert picture.format == "WEBP" and picture.size == (96, 96)
            assert np.asarray(picture).mean() == pytest.approx(grey, abs=3)
        with pytest.raises(StudyError, match="image 'd' of the study is in none of .*a.nc"):
            draw("d")
