"""The disagreement gallery, on small made-up studies."""

import base64
import io
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import h5netcdf
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from deltann.cell import Cell
from deltann.dataset import aggregate, predictions
from deltann.errors import StudyError
from deltann.execution import environment
from deltann.gallery import answers, page, thumbnails
from deltann.images import prepared
from deltann.provenance import files, records
from helpers.workspace import ROOT

CLASSES = 10
NASTY = [
    '</script><script>alert("1")</script>',
    "a'b\"c&amp;]]><!--",
    "two\nlines",
    "é ☃ 😀 \\u0041",
]


def cell(source: str, backend: str = "native", model: str = "m") -> Cell:
    """A cell of an unconverted model."""
    native = backend == "native"
    by = ("none", "runtime", "runtime") if native else ("direct", "tvm", "rules")
    return Cell(model, source, source, "unconverted", "source", "pillow", *by, backend, "cpu")


def ran(cell: Cell, labels: list[int], margins: float | list[float] = 0.5, **changes) -> xr.Dataset:
    """A cell that gives images these labels, by these margins over the next class."""
    probability = np.full((len(labels), CLASSES), 1e-9)
    for row, (label, margin) in enumerate(
        zip(labels, np.broadcast_to(margins, len(labels)), strict=True)
    ):
        probability[row, label] = (1 + margin) / 2
        probability[row, (label + 1) % CLASSES] = (1 - margin) / 2
    arguments = {
        "logits": np.log(probability).astype(np.float32),
        "latency": np.full((len(labels), 1), 0.01),
        "image": np.array([f"{k}.jpg" for k in range(len(labels))]),
        "true_label": np.zeros(len(labels), np.int64),
        "inputs": cell.model,
        "inputs_digest": cell.model,
        "probe_drift": 1.0,
        "pass_spread": 1.0,
        "contention": 0.0,
        "provenance": {},
    }
    return predictions.succeeded(cell, **arguments | changes)


def failed(cell: Cell) -> xr.Dataset:
    """A cell whose conversion failed."""
    error = {"type": "KeyError", "message": "no such layer", "traceback": ""}
    return predictions.failed(cell, {"failed_stage": "convert", "error": error}, "", "", {})


def study(folder: Path, datasets: list[xr.Dataset]) -> xr.Dataset:
    """The study dataset of these cells."""
    paths = [folder / f"{number}.nc" for number in range(len(datasets))]
    for dataset, path in zip(datasets, paths, strict=True):
        predictions.write(dataset, path)
    aggregate.aggregate(paths, folder / "study.nc", aggregate.Tolerances(0.15, 0.05), "digest")
    return xr.open_dataset(folder / "study.nc", engine="h5netcdf")


def images(path: Path, names: list[str], grey: int) -> Path:
    """Prepared images of one shade."""
    with h5netcdf.File(path, "w") as file:
        writer = prepared.Writer(file, (32, 32))
        for name in names:
            writer.add(name, -1, np.full((32, 32, 3), grey, np.uint8))
        writer.finish([])
    return path


def content(text: str) -> dict:
    """The data of a page, which must be well-formed XML."""
    root = ElementTree.fromstring(text)
    (data,) = [element for element in root.iter() if element.get("id") == "data"]
    return json.loads(data.text)


def facts(text: str) -> str:
    """What the page's head says."""
    header = ElementTree.fromstring(text).find(".//{*}header")
    return " ".join(paragraph.text for paragraph in header.findall("{*}p"))


@pytest.fixture
def sample(tmp_path):
    """Two sources' cells on images with none, one, and two disagreeing cells; 3 by sources only."""
    return study(
        tmp_path,
        [
            ran(cell("torch"), [1, 1, 1, 1], [0.9, 0.8, 0.7, 0.6]),
            ran(cell("torch", "O0"), [1, 1, 1, 1], [0.9, 0.2, 0.5, 0.6]),
            ran(cell("torch", "O2"), [1, 4, 5, 1], 0.125),
            failed(cell("torch", "O4")),
            ran(cell("keras"), [1, 1, 1, 2]),
            ran(cell("keras", "O0"), [1, 1, 1, 2]),
            ran(cell("keras", "O2"), [1, 1, 6, 2]),
        ],
    )


def test_images_are_those_that_cells_disagree_on_most_first(sample):
    entries, found = answers.collect(sample, 10_000)
    assert found == 3
    assert [(entry.name, entry.within, entry.between) for entry in entries] == [
        ("2.jpg", 2, 2),
        ("1.jpg", 1, 1),
        ("3.jpg", 0, 3),
    ]


def test_every_answer_has_its_cells_and_margins(sample):
    entries, _ = answers.collect(sample, 10_000)
    (part,) = json.loads(entries[1].text)["models"]
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
            ran(cell("torch"), [1, 2, 3]),
            ran(cell("torch", model="n"), [7], **fewer),
            ran(cell("torch", "O0", model="n"), [8], **fewer),
        ],
    )
    entries, found = answers.collect(dataset, 10_000)
    assert (found, entries[0].name) == (1, "1.jpg")
    (part,) = json.loads(entries[0].text)["models"]
    assert (part["model"], part["truth"]) == ("n", None)
    assert [answer[:2] for answer in part["answers"]] == [[7, "1"], [8, "2"]]


def test_images_of_all_blocks_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "CHUNK_IMAGES", 2)
    labels = np.arange(7) % CLASSES
    other = (labels + (np.arange(7) % 3 == 0)) % CLASSES
    dataset = study(tmp_path, [ran(cell("torch"), labels), ran(cell("torch", "O0"), other)])
    entries, found = answers.collect(dataset, 10_000)
    assert [entry.name for entry in entries] == ["0.jpg", "3.jpg", "6.jpg"] and found == 3


def test_page_of_no_disagreement_says_so(tmp_path):
    text = page.page(study(tmp_path, [ran(cell("torch"), [1]), failed(cell("keras"))]), str)
    assert content(text)["entries"] == []
    assert "2 cells: 1 answered, 1 failed" in facts(text)
    assert "most probable class of 0." in facts(text) and "Left out" not in facts(text)


def test_page_of_a_study_without_any_image(tmp_path):
    text = page.page(study(tmp_path, [failed(cell("keras"))]), str)
    assert content(text)["entries"] == [] and "0 images" in facts(text)


def test_names_are_text_whatever_they_hold(tmp_path):
    names = {"image": np.array(NASTY, object)}
    cells = [ran(cell("torch"), [1] * 4, **names), ran(cell("torch", "O0"), [2] * 4, **names)]
    text = page.page(study(tmp_path, cells), str, class_names=NASTY)
    assert [entry["name"] for entry in content(text)["entries"]] == NASTY
    assert content(text)["classes"] == NASTY
    scripts = []
    parser = HTMLParser()  # a browser may take the page for HTML
    parser.handle_starttag = lambda tag, attributes: tag == "script" and scripts.append(attributes)
    parser.feed(text)
    assert len(scripts) == 2
    assert (
        text.isascii()
        and 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
    )


def test_what_does_not_fit_is_left_out_and_said(tmp_path):
    labels = np.zeros(40, int)
    cells = [ran(cell("torch"), labels)]
    for number, backend in enumerate(("O0", "O2", "O4")):
        other = labels + (np.arange(40) % 4 > number)
        cells.append(ran(cell("torch", backend), other, true_label=labels))
    dataset = study(tmp_path, cells)
    whole = page.page(dataset, lambda name: "x" * 300)
    limit = len(whole) - 5000
    text = page.page(dataset, lambda name: "x" * 300, limit)
    assert limit - 1000 < len(text) <= limit
    entries = content(text)["entries"]
    assert len(entries) == len(content(text)["thumbnails"]) < len(content(whole)["entries"]) == 30
    assert content(whole)["entries"][: len(entries)] == entries
    assert f"Left out: {30 - len(entries)} images of these." in facts(text)
    assert f"the {len(entries)} images on which the most cells disagree" in facts(text)


def test_text_alone_may_be_too_much(sample):
    dataset_text = answers.collect(sample, 10_000)[0]
    entries, found = answers.collect(sample, len(dataset_text[0].text) + 10)
    assert ([entry.name for entry in entries], found) == (["2.jpg"], 3)
    with pytest.raises(ValueError, match="expected at most 1000"):
        page.page(sample, str, 1000)


def test_thumbnail_is_of_the_first_file_that_holds_the_image(tmp_path):
    paths = [images(tmp_path / "a.nc", ["a", "b"], 40), images(tmp_path / "b.nc", ["b", "c"], 200)]
    with thumbnails.drawing(paths) as draw:
        for name, grey in (("b", 40), ("c", 200)):
            picture = Image.open(io.BytesIO(base64.b64decode(draw(name))))
            assert picture.format == "WEBP" and picture.size == (96, 96)
            assert np.asarray(picture).mean() == pytest.approx(grey, abs=3)
        with pytest.raises(StudyError, match="image 'd' of the study is in none of .*a.nc"):
            draw("d")


def test_program_writes_the_page(sample, tmp_path):
    files.write_json(tmp_path / "environment.json", environment.describe())
    inputs = images(tmp_path / "inputs.nc", [f"{k}.jpg" for k in range(4)], 90)
    record = tmp_path / "study.nc.json"
    records.write(record, "aggregate", [tmp_path / "study.nc"], {}, "")
    command = [sys.executable, "scripts/gallery.py", "--study", tmp_path / "study.nc"]
    command += ["--study-record", record, "--record", tmp_path / "gallery.json"]
    command += ["--inputs", inputs, "--environment", tmp_path / "environment.json"]
    subprocess.run([*command, "--output", tmp_path / "gallery.xhtml"], cwd=ROOT, check=True)
    data = content((tmp_path / "gallery.xhtml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in data["entries"]] == ["2.jpg", "1.jpg", "3.jpg"]
    assert (
        data["cells"][2]
        == "m torch torch unconverted source pillow direct tvm rules O2 cpu".split()
    )


@pytest.mark.skipif(
    not shutil.which("node"), reason="node runs the page's script outside a browser"
)
def test_cells_are_grouped():
    grid = [
        {
            "source": "torch",
            "target": target,
            "route": route,
            "preprocessing": "source",
            "resizer": "pillow",
            "importer": importer if backend != "native" else "none",
            "compiler": "tvm" if backend != "native" else "runtime",
            "schedule": "rules" if backend != "native" else "runtime",
            "backend": backend,
            "device": device,
        }
        for target, route, importer in (
            ("torch", "unconverted", "direct"),
            ("onnx", "torch_onnx", "direct"),
            ("keras", "nobuco", "keras_onnx"),
        )
        for backend in ("native", "O0", "O4")
        for device in ("cpu", "arm")
    ]
    groups = [list(range(18)), [0], [4, 5, 10, 11], [6, 7, 8, 9, 10, 11, 14], [2, 4, 9]]
    ask = f"const grid = {json.dumps(grid)};" + "".join(
        f"console.log(JSON.stringify(lines({group}.map((at) => grid[at]), grid)));"
        for group in groups
    )
    script = (ROOT / "scripts/deltann/gallery/page.js").read_text(encoding="utf-8")
    done = subprocess.run(
        ["node", "-"], input=script + ask, capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        ["from torch: all 18"],
        ["from torch unconverted: native on cpu"],
        ["from torch unconverted, to onnx by torch_onnx: O4"],
        [
            "from torch to onnx by torch_onnx: all",
            "from torch to keras by nobuco: O0 through keras_onnx on cpu",
        ],
        ["from torch unconverted: O0, O4 on cpu", "from torch to onnx by torch_onnx: O0 on arm"],
    ]
