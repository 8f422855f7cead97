"""Paths of a study, and a cell's path and its parser."""

import pytest

from deltann.cell import NAMES, Cell
from deltann.errors import StudyError
from deltann.study import layout

CELL = Cell(*(f"{name}_1" for name in NAMES))


def test_a_cell_is_parsed_from_its_path():
    assert Cell.parse(CELL.path) == CELL
    assert Cell.parse(str(CELL)) == CELL


@pytest.mark.parametrize("path", ["", "a/b", f"{CELL}/more", f"/{CELL.path.split('/', 1)[1]}"])
def test_a_path_without_a_cells_names_is_refused(path):
    with pytest.raises(StudyError, match="is no cell; expected model/source/target"):
        Cell.parse(path)


def test_a_prediction_file_names_its_cell_wherever_the_study_lies():
    for folder in ("", f"{layout.study('mine')}/", "/elsewhere/mine.d/"):
        assert layout.predicted_cell(folder + layout.prediction(CELL)) == CELL


def test_a_path_of_the_study_is_the_same_wherever_the_study_lies():
    model = layout.model_file("small", "torch", "unconverted", ".pt2")
    assert layout.inside(f"{layout.study('mine')}/{model}") == model


def test_records_are_found_under_their_folders(tmp_path):
    artifact = tmp_path / layout.compiled("a/b/c/d/e/f/g/h/i")
    artifact.parent.mkdir(parents=True)
    for path in (artifact, artifact.with_name(layout.graph(artifact.name))):
        path.touch()
    record = artifact.with_name(layout.record(artifact.name))
    record.touch()
    assert layout.artifact_records(tmp_path) == [record]
    figure = tmp_path / layout.figure("latency", ".json")
    figure.parent.mkdir()
    figure.touch()
    (tmp_path / layout.DATASET_RECORD).touch()
    assert layout.other_records(tmp_path) == [tmp_path / layout.DATASET_RECORD, figure]


def test_every_wildcard_of_a_compilation_is_a_name_of_its_cells():
    names = set(layout.COMPILED_PATTERN[1:-1].split("}/{"))
    assert names - {"level"} <= set(NAMES)
    assert layout.tuned() == layout.compiled().replace("compiled/", "tuned/").replace(
        "{schedule}/", ""
    ).replace(".so", ".tar")
