"""The studies that the end-to-end tests share: each is run once and then read or copied."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr
from filelock import FileLock
from hypothesis import settings

from deltann.localise import remote
from helpers import planted
from helpers.workspace import SMALL, Workspace, built, small_study

# A busy machine is no reason to fail.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# `make test` tells a make inside it that it is one, which then prints other lines than a user's.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)

# Two processes take a file of tests each, in this order: the longest first, so that none of them is
# still under way alone in the end. The two files on Slurm share a cluster: they aren't neighbours.
ORDER = ("slurm/test_slurm.py", "workflow/test_[a-f]", "slurm", "workflow", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of tests in `ORDER`."""
    root = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(root).as_posix()
        return next(number for number, start in enumerate(ORDER) if re.match(start, name))

    items.sort(key=place)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory, worker_id) -> Workspace:
    """A workspace with four photographs and all environments built by the rule.

    Each process of a test run has one of its own; the environments are built once.
    """
    folder = tmp_path_factory.mktemp("workspace")
    if worker_id == "master":
        return built(folder)
    shared = tmp_path_factory.getbasetemp().parent / "workspace"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.mkdir()
            built(shared)
    return Workspace(shared).copy(folder / "copy")


@pytest.fixture(scope="module")
def environments(workspace) -> Iterator[Path]:
    """The folder with all environments; sessions in other environments look there, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(remote.ENVIRONMENTS, str(workspace.path / ".envs"))
        yield workspace.path / ".envs"


@pytest.fixture(scope="session")
def study(workspace):
    """The reduced study, run once: all targets, two backends, both devices; its config."""
    config = workspace.config(
        "reduced",
        backends=["native", "O0", "O4"],
        timing={"repeats": 3, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
    )
    workspace.run(config)
    return config


@pytest.fixture(scope="session")
def undisturbed(workspace):
    """The small study, run here and without a disturbance: its dataset."""
    config = workspace.config("undisturbed", **SMALL)
    workspace.run(config)
    return xr.load_dataset(workspace.path / "results/undisturbed/study.nc")


@pytest.fixture(scope="session")
def small(workspace, tmp_path_factory, worker_id) -> tuple[Workspace, Path]:
    """A finished study of a small model of one's own, converted and compiled, and its config.

    It is run once for all processes of a test run: tests copy its workspace, and change copies.
    Its shell has wrong packages on PYTHONPATH: test_verify.py looks whether any was imported.
    """
    base = tmp_path_factory.getbasetemp()
    # a path that a shell, or the first line of a script, would take for more than a name
    space = Workspace((base if worker_id == "master" else base.parent) / 'it\'s "é" small')
    with FileLock(f"{space.path}.lock"):
        if not space.path.exists():
            workspace.copy(space.path)
            space.variables = planted.variables(space.path / planted.FOLDER)
            space.run(small_study(space, "small"))
    return space, space.path / "small.yaml"
