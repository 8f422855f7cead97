"""A study packed, carried to a clone without frameworks, images and models, and drawn again."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import xarray as xr

from helpers import planted
from helpers.workspace import SNAKEMAKE, Workspace, checkout

STUDY = "results/small"


def make(space, *words: str) -> subprocess.CompletedProcess:
    """Run make there, with the Snakemake of this checkout and wrong packages on PYTHONPATH."""
    command = ["make", "--old-file=.venv/ready", f"SNAKEMAKE={SNAKEMAKE}", *words]
    wrong = space.path.parent / f"planted-{words[0]}"
    shutil.rmtree(wrong, ignore_errors=True)
    shell = os.environ | planted.variables(wrong)
    done = subprocess.run(command, cwd=space.path, env=shell, capture_output=True, text=True)
    assert planted.found(wrong) == []
    return done


def on_another_disk(folder: Path) -> None:
    """Move a folder away, and leave a link in its place."""
    disk = folder.resolve().parent.parent / f"disk of {folder.name}"
    disk.mkdir()
    folder.rename(disk / "moved")
    folder.symlink_to(disk / "moved")


@pytest.fixture(scope="module")
def packed(small, tmp_path_factory):
    """The small study, on other disks, as `make pack` leaves it: the archive's path."""
    space = small[0].copy(tmp_path_factory.mktemp("packed") / "space", studies=True)
    for name in ("results", STUDY):
        on_another_disk(space.path / name)
    assert space.jobs(space.path / small[1].name) == {}
    done = make(space, "verify", f"CONFIG={small[1].name}")
    assert f"ok: {STUDY}: " in done.stdout, done.stdout + done.stderr
    done = make(space, "pack", f"CONFIG={STUDY}/config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    return space.path / f"{STUDY}.zip"


@pytest.fixture(scope="module")
def elsewhere(packed, tmp_path_factory):
    """A fresh clone that has the analysis environment and the unpacked study, and nothing else."""
    space = Workspace(tmp_path_factory.mktemp("elsewhere"))
    checkout(space.path)
    (space.path / ".envs").mkdir()
    analysis = packed.parent.parent / ".envs/analysis"
    (space.path / ".envs/analysis").symlink_to(analysis.resolve())
    manifest = space.path / "results/environments/analysis.json"
    manifest.parent.mkdir(parents=True)
    shutil.copy(packed.parent / "environments/analysis.json", manifest)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(space.path / STUDY)
    on_another_disk(space.path / "results")
    return space


def test_the_archive_is_an_ro_crate(packed):
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        metadata = json.loads(archive.read("ro-crate-metadata.json"))
        entities = {item["@id"]: item for item in metadata["@graph"]}
        assert len(entities) == len(metadata["@graph"])
        assert (
            entities["ro-crate-metadata.json"]["conformsTo"]["@id"] == metadata["@context"][0][:-8]
        )
        root = entities[entities["ro-crate-metadata.json"]["about"]["@id"]]
        assert root["@id"] == "./" and root["@type"] == "Dataset"
        assert root["name"] and root["description"] and root["datePublished"] and root["license"]
        described = {item["@id"] for item in root["hasPart"]}
        assert described | {"ro-crate-metadata.json", "ro-crate-preview.html"} == names
        for name in described:
            data = archive.read(name)
            assert entities[name]["@type"] == "File"
            assert entities[name]["sha256"] == hashlib.sha256(data).hexdigest()
            assert entities[name]["contentSize"] == str(len(data))
    known = {*entities, "https://w3id.org/ro/crate/1.1"}
    assert {name for item in metadata["@graph"] for name in referred(item)} <= known


def referred(item: object) -> list[str]:
    """The identifiers that a part of a JSON-LD document refers to."""
    if isinstance(item, dict) and set(item) == {"@id"}:
        return [item["@id"]]
    parts = item.values() if isinstance(item, dict) else item if isinstance(item, list) else []
    return [name for part in parts for name in referred(part)]


def test_what_was_made_from_what_leads_back_to_the_model(packed):
    with zipfile.ZipFile(packed) as archive:
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    sources = {item["@id"]: referred(item.get("isBasedOn", [])) for item in graph}
    todo, found = ["figures/latency.pdf"], set()
    while todo:
        found.add(name := todo.pop())
        todo += sources[name]
    assert {"tables/pareto.csv", "study.nc", "inputs/72-64-bilinear/pillow.nc"} <= found
    assert {"models/mine/torch/unconverted.pt2", "models/mine/torch/torch_onnx.onnx"} <= found
    assert len([name for name in found if name.startswith("predictions/")]) == 4


def test_a_person_reads_where_it_came_from(packed):
    with zipfile.ZipFile(packed) as archive:
        page = archive.read("ro-crate-preview.html").decode()
        dataset = json.loads(archive.read("environments/torch.json"))
        (cell, *_) = [name for name in archive.namelist() if name.startswith("predictions/")]
        (packed.parent / "cell.nc").write_bytes(archive.read(cell))
    with xr.open_dataset(packed.parent / "cell.nc") as prediction:
        assert f"at commit <code>{json.loads(prediction.provenance)['commit']}</code>" in page
    assert f"torch {dataset['distributions']['torch']}" in page
    assert "processor: " in page and "threads: " in page
    assert "mcpu" in page  # the config
    assert "make redraw CONFIG=results/small/config.json" in page
    assert "licences of their own" in page


def test_it_is_drawn_again_without_frameworks(packed, elsewhere):
    study = elsewhere.path / STUDY
    for folder in ("tables", "figures"):
        shutil.rmtree(study / folder)
    for name in ("summary.md", "summary.html", "explorer.html"):
        (study / name).unlink()
    done = make(elsewhere, "redraw", f"CONFIG={STUDY}/config.json")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    (steps,) = re.findall(r"^\d+ steps: (.*)$", done.stdout + done.stderr, re.MULTILINE)
    rules = {counted.split()[0] for counted in steps.split(", ")}
    assert "tables" in rules
    for rule in ("photographs", "prepare", "export", "convert", "compile", "infer", "aggregate"):
        assert rule not in rules
    assert [path.name for path in (elsewhere.path / ".envs").iterdir()] == ["analysis"]
    assert (study / "report.html").stat().st_size > 100_000
    with zipfile.ZipFile(packed) as archive:
        made = [name for name in archive.namelist() if name.startswith(("tables/", "figures/"))]
        for name in [*made, "summary.md", "summary.html", "explorer.html"]:
            assert (study / name).read_bytes() == archive.read(name), name


def test_the_report_opens_on_the_answer_and_lists_what_the_study_fills(elsewhere):
    study = elsewhere.path / STUDY
    report = (study / "report.html").read_text()
    start = report.split('<script id="workflow-desc">')[1].split("</script>")[0]
    order = ["In short", "4 cells: 4 ran, 0 failed", "explorer.html", "data:image/png", "Answers"]
    assert sorted(order, key=start.index) == order
    listed = report.split('<script id="results">')[1].split("var results = ")[1]
    results, _ = json.JSONDecoder().raw_decode(listed)
    assert '"result": "Figure: What is fast, and still answers the same?"' in report
    assert all(result["labels"]["result"] for result in results.values())
    drawn = {path.stem for path in (study / "figures").glob("*.pdf")}
    assert drawn >= {"conversions", "latency", "pareto", "targets"}
    assert not drawn & {"devices", "inputs", "natives", "passes", "published", "speedups"}
    assert {name for name in results if name.endswith(".pdf")} == {
        f"{STUDY}/figures/{name}.pdf" for name in drawn
    }
    assert f"{STUDY}/tables/natives.csv" not in results and (study / "tables/natives.csv").exists()


def test_it_is_whole_elsewhere(elsewhere):
    done = make(elsewhere, "verify", f"CONFIG={STUDY}/config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ok: {STUDY}: " in done.stdout


def test_a_damaged_study_is_not_packed(elsewhere):
    path = elsewhere.path / STUDY / "tables/latency.csv"
    path.write_text(path.read_text().replace("cpu", "gpu"))
    done = make(elsewhere, "pack", f"CONFIG={STUDY}/config.json")
    assert done.returncode != 0
    assert f"{STUDY}/tables/latency.csv: checksum mismatch with" in done.stderr
    assert not (elsewhere.path / f"{STUDY}.zip").exists()
