"""What `make study` prints at its end: short, and true of the summary."""

import pytest

from deltann.study import layout
from deltann.workflow import print_summary

FOUND = ["6 cells: 5 ran, 1 failed", *(f"finding {number} {'x ' * 70}" for number in range(9))]
FAILED = [f"convert by tool{number}, E, 1 cell: {'message ' * 40}" for number in range(5)]
TO_DO = ["Safe to run: a", "Take more images: 20", "Don't run: b", "Look at the 3 images"]
PATH = "m/torch/onnx/to_onnx/source/pillow/none/runtime/runtime/native/cpu"


def written(folder, found=FOUND, failed=FAILED, to_do=TO_DO, warning="**Seeded weights: m.**"):
    """A study's folder with all that is printed."""
    for name in (layout.FIGURES, layout.TABLES):
        (folder / name).mkdir()
    (folder / layout.DATASET).touch()
    sections = {"In short": found, "Answers": [PATH], "Failures": failed, "What to do": to_do}
    text = "\n\n".join(
        f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines)
        for title, lines in sections.items()
    )
    (folder / layout.SUMMARY).write_text(f"# Summary of the study\n\n{warning}\n\n{text}\n")
    return folder


def test_the_text_is_short_whatever_the_summary_has(tmp_path):
    study = written(tmp_path)
    for name in (layout.REPORT, layout.EXPLORER):
        (study / name).touch()
    whole = print_summary.text(study).splitlines()
    assert len(whole) <= 25 and len(print_summary.answer(study).splitlines()) <= 16
    shown = [line for line in whole if str(study) not in line]
    assert max(map(len, shown)) <= 120
    assert PATH not in "\n".join(whole)


def test_what_is_left_out_is_counted(tmp_path):
    lines = print_summary.text(written(tmp_path)).splitlines()
    found = [line for line in lines if line.startswith("- finding")]
    assert 0 < len(found) < 9
    assert f"  and {9 - len(found)} more in summary.md" in lines
    failed = [line for line in lines if line.startswith("- convert by tool")]
    assert len(failed) == 3 and "Failures (2 more in summary.md)" in lines
    assert all(line.endswith(" …") for line in failed)


def test_what_is_urgent_comes_first(tmp_path):
    text = print_summary.text(written(tmp_path, found=FOUND[:1], failed=["none"]))
    todo = text.split("What to do\n")[1].splitlines()
    assert todo == ["- Don't run: b", "- Look at the 3 images", "- Take more images: 20"]
    assert "Failures" not in text and "Seeded weights: m." in text.splitlines()


def test_results_are_named_if_they_are_there(tmp_path):
    study = written(tmp_path)
    text = print_summary.text(study)
    assert f"dataset:  {study / layout.DATASET}\n" in text
    assert "report:" not in text and "explorer:" not in text
    for name in (layout.REPORT, layout.EXPLORER):
        (study / name).touch()
    text = print_summary.text(study)
    assert f"report:   {study / layout.REPORT}\nexplorer: {study / layout.EXPLORER}\n" in text


@pytest.mark.parametrize("name", [layout.DATASET, layout.SUMMARY])
def test_an_unfinished_study_says_what_is_missing(tmp_path, name):
    study = written(tmp_path)
    (study / name).unlink()
    text = print_summary.text(study)
    assert "is not finished; missing: " in text and f" ({study / name})." in text
    assert "6 cells" not in text


def test_a_study_of_operators_ends_with_what_is_wrong(tmp_path):
    (tmp_path / layout.OPERATORS).mkdir()
    items = "\n".join(f"- **tool{number}**: resize, 2 of 3 {'x' * 200}" for number in range(40))
    text = f"# Which?\n\n690 models, 4106 right, 224 wrong. {'More words. ' * 20}\n\n{items}\n"
    (tmp_path / layout.OPERATOR_SUMMARY).write_text(text)
    lines = print_summary.text(tmp_path).splitlines()
    assert len(lines) == print_summary.LINES
    assert max(map(len, lines[5:])) <= print_summary.WIDTH
    assert "690 models, 4106 right, 224 wrong." in lines[5]
    shown = sum(line.startswith("- **tool") for line in lines)
    assert lines[-1] == f"  and {40 - shown} more in the summary"
