"""What README and docs tell a reader to paste."""

import shlex
import shutil
import subprocess

import pytest

from helpers.dry_runs import Space
from helpers.workspace import ROOT, SNAKEMAKE


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    """The repository's files, with two photographs."""
    made = Space(tmp_path_factory.mktemp("pages"))
    made.folder("photographs", "a.png", "b.png")
    shutil.copy2(ROOT / "Makefile", made.path)
    return made


# what a reader pastes; a report, and a run on a cluster, need what isn't here
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PASTED = sorted(
    {
        line[2:]
        for page in PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(("$ .venv/bin/snakemake", "$ make "))
        and "--report" not in line
        and "--profile slurm" not in line
    }
)
DRY = {
    ".venv/bin/snakemake": f"{shlex.quote(str(SNAKEMAKE))} --dry-run",
    "make": "make --dry-run --old-file=.venv/ready",
}


@pytest.mark.parametrize("command", PASTED)
def test_what_the_pages_say_to_paste_works(space, command):
    (space.path / "config/mine.yaml").write_text("images: {folder: photographs}\n")
    (space.path / "results/mine").mkdir(parents=True, exist_ok=True)
    shutil.copy(space.path / "config/mine.yaml", space.path / "results/mine/config.json")
    program, words = command.split(maxsplit=1)
    command = f"{DRY[program]} {words}"
    done = subprocess.run(["bash", "-c", command], cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_says_what_a_changed_environment_runs_again(space):
    """Of the default study: all that is compiled, with two conventions, and what follows."""
    table = ROOT.joinpath("README.md").read_text(encoding="utf-8").split("Job stats:")[1]
    said = jobs(table.split("```")[0])
    command = [SNAKEMAKE, "--dry-run", "--cores", "all"]
    done = subprocess.run(command, cwd=space.path, capture_output=True, text=True)
    fresh = jobs((done.stdout + done.stderr).split("Job stats:")[1].split("\n\n")[0])
    total = said.pop("total")
    assert total == sum(said.values())
    assert said.pop("infer") == 2 * fresh["compile"] < fresh["infer"]
    assert said.pop("environment") == 1
    assert said == {rule: count for rule, count in fresh.items() if rule in said}
    assert not {"export", "convert", "prepare"} & said.keys()


def jobs(table: str) -> dict[str, int]:
    """Rules and their numbers of jobs, of Snakemake's table."""
    rows = [line.split() for line in table.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}
