"""What `make study` prints at its end."""

import pytest

from deltann.study import layout
from deltann.workflow import print_summary


@pytest.fixture
def finished(tmp_path):
    """A study's folder with all that is printed."""
    for folder in (layout.FIGURES, layout.TABLES):
        (tmp_path / folder).mkdir()
    (tmp_path / layout.DATASET).touch()
    sections = [f"## {title}\n\nabout {title}" for title in print_summary.SECTIONS]
    (tmp_path / layout.SUMMARY).write_text("# Study\n\n" + "\n\n".join(sections) + "\n")
    return tmp_path


def test_results_and_summary_are_printed(finished):
    text = print_summary.text(finished)
    assert f"dataset:  {finished / layout.DATASET}\n" in text
    assert "Failures\nabout Failures\n" in text
    assert "report:" not in text and "failed" not in text


def test_a_report_is_named_if_it_is_there(finished):
    (finished / layout.REPORT).touch()
    text = print_summary.text(finished)
    assert f"report:   {finished / layout.REPORT}\n" in text


def test_an_unfinished_study_says_what_is_missing(finished):
    (finished / layout.DATASET).unlink()
    text = print_summary.text(finished)
    assert f"is not finished; missing: dataset ({finished / layout.DATASET})." in text
    assert "about Cells" not in text
