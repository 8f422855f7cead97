"""The folder of the study that config files describe, as the Makefile asks for it."""

import subprocess

import pytest

from helpers.workspace import ROOT, SNAKEMAKE


def study_folder(*files) -> subprocess.CompletedProcess:
    command = [SNAKEMAKE.with_name("python"), ROOT / "scripts/study_folder.py", *files]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(
    "text",
    ["study: one\n", "study: 'one'\n", '{"study": "one"}', '"study" : "one" # a comment\n']
    + ["study:\n  one\n", "name: &a one\nstudy: *a\n"],
)
def test_a_study_is_found_however_its_config_is_written(tmp_path, text):
    config = tmp_path / "config"
    config.write_text(text)
    done = study_folder(config)
    assert (done.returncode, done.stdout) == (0, "results/one\n"), done.stderr


def test_the_last_config_wins(tmp_path):
    paths = [tmp_path / f"{number}.yaml" for number in range(3)]
    for path, text in zip(paths, ("study: a", "study: b", "models: []"), strict=True):
        path.write_text(text)
    assert study_folder(*paths).stdout == "results/b\n"


def test_a_study_without_a_name_has_that_of_its_last_file(tmp_path):
    paths = [tmp_path / f"{name}.yaml" for name in ("a", "mine")]
    for path in paths:
        path.write_text("models: []")
    assert study_folder(*paths).stdout == "results/mine\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "doesn't exist; expected a config file"),
        ("study: [unclosed", "Config file is not valid JSON or YAML"),
        ("- a\n", "Config file must be given as JSON or YAML with keys at top level"),
        ("study:\n", "study is None; expected the name of the study"),
    ],
)
def test_a_file_without_a_study_is_one_sentence(tmp_path, text, message):
    config = tmp_path / "config.yaml"
    if text is not None:
        config.write_text(text)
    done = study_folder(config)
    assert done.returncode == 1 and done.stdout == ""
    assert str(config) in done.stderr and message in done.stderr
    assert len(done.stderr.splitlines()) == 1
