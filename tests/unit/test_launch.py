"""What starts the workflow: the Makefile, and .venv/bin/snakemake."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deltann.errors import StudyError
from deltann.execution import environment
from helpers.workspace import ROOT, SNAKEMAKE


def kept(tmp_path: Path) -> Path:
    """A folder of somebody's, with a file in it."""
    folder = tmp_path / "somebody's own"
    folder.mkdir()
    (folder / "file").write_text("content")
    return folder


def test_a_driver_environment_that_is_a_link_is_not_followed(tmp_path):
    own = kept(tmp_path)
    place = tmp_path / "repository"
    (place / "envs").mkdir(parents=True)
    for name in ("Makefile", "envs/driver.txt", "envs/snakemake.sh", "envs/check_cache.sh"):
        shutil.copy(ROOT / name, place / name)
    (place / ".venv").symlink_to(own)
    done = subprocess.run(["make", ".venv/ready"], cwd=place, capture_output=True, text=True)
    assert done.returncode != 0
    assert f".venv is a link to {own}, whose content would be deleted" in done.stderr
    assert "Remove the link (rm .venv) and run again" in done.stderr
    assert [path.name for path in own.iterdir()] == ["file"]


def test_an_environment_that_is_a_link_is_not_followed(tmp_path):
    own = kept(tmp_path)
    link = tmp_path / "an environment"
    link.symlink_to(own)
    with pytest.raises(StudyError, match=r"is a link to .*\(rm '.*an environment'\) and run again"):
        environment.build(link, ["six==1.17.0"], tmp_path / "manifest.json")
    assert [path.name for path in own.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--configfile", "it's not there.yaml"],
        ["--configfile=it's not there.yaml"],
        ["-n", "--configfile", "here.yaml", "it's not there.yaml", "--cores", "1"],
    ],
)
def test_a_config_file_that_does_not_exist_is_one_sentence(tmp_path, arguments):
    (tmp_path / "here.yaml").touch()
    script = ["sh", ROOT / "envs/snakemake.sh", *arguments]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "snakemake: error: --configfile: 'it's not there.yaml' doesn't exist; expected a config "
        "file. Targets go before --configfile\n"
    )


def repository(folder: Path) -> Path:
    """A repository with the command alone, whose Python prints its arguments; the command."""
    driver = folder / ".venv/bin"
    driver.mkdir(parents=True)
    (folder / "envs").mkdir()
    for name in ("Makefile", "envs/driver.txt", "envs/snakemake.sh", "envs/check_cache.sh"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "envs/snakemake.sh", driver / "snakemake")
    (driver / "python").write_text("#!/bin/sh\nprintf '%s|' \"$@\"\n")
    (driver / "python").chmod(0o755)
    return driver / "snakemake"


def test_a_cache_that_can_not_be_written_is_one_sentence(tmp_path):
    """A file in place of HOME: root could write to a read-only folder."""
    (tmp_path / "home").write_text("no folder")
    driver = repository(tmp_path / "repository")
    outside = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    message = (
        f"{tmp_path}/home/.cache can't be written to; expected a folder for the caches of pip, uv "
        'and Snakemake. Name one that can be, as in export XDG_CACHE_HOME="$PWD/.cache", and run '
        "again\n"
    )
    for command in (["sh", driver], ["make", ".venv/ready"]):
        done = subprocess.run(
            command,
            cwd=tmp_path / "repository",
            env=outside | {"HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0 and done.stderr.startswith(message), done.stderr
    own = outside | {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "a cache")}
    without = {name: value for name, value in outside.items() if name != "HOME"}
    for variables in (own, without):
        subprocess.run(["sh", driver], env=variables, check=True, cwd=tmp_path)
    assert list((tmp_path / "a cache").iterdir()) == []


def test_other_arguments_reach_snakemake_as_they_are(tmp_path):
    (tmp_path / "a b.yaml").touch()
    driver = repository(tmp_path / 'it\'s "é" $HOME')
    arguments = ["not there", "--configfile=a b.yaml", "target", "--configfile", "a b.yaml"]
    arguments += ["--cores", "all", "--", "it's"]
    done = subprocess.run(["sh", driver, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split("|")[:-1] == ["-I", "-m", "snakemake", *arguments], done.stderr


def test_the_installed_command_is_this_one():
    assert SNAKEMAKE.read_text() == (ROOT / "envs/snakemake.sh").read_text()
