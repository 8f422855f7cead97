"""Fixtures of several unit tests: a package that misbehaves, and a made-up study."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from deltann import interpreter
from helpers.made_up_cells import (
    BROKEN,
    CLASSES,
    CONVERTED,
    FAST,
    IMAGES,
    NATIVE,
    REPEATS,
    SLOW,
    failed,
    ran,
    study,
)
from helpers.misbehaviour import FOREIGN, OURS

PACKAGE = Path(interpreter.__file__).resolve().parent


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package with a misbehaving stage, where child processes find it."""
    scripts = tmp_path / "scripts"
    shutil.copytree(PACKAGE, scripts / "deltann", ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "foreign.py").write_text(FOREIGN)
    (scripts / "deltann/stages/misbehave.py").write_text(OURS)
    (scripts / "deltann/stages/misspelt.py").write_text("def work(:\n")
    (scripts / "deltann/stages/misguided.py").write_text("import no_such_package\n")
    monkeypatch.setattr(interpreter, "SCRIPTS", str(scripts))
    return scripts


@pytest.fixture
def sample(tmp_path):
    """Five cells: native, converted with one other label, two levels, and one that failed."""
    other = np.eye(IMAGES, CLASSES, dtype=np.float32)
    other[2, 7] = 2
    return study(
        tmp_path,
        [
            ran(NATIVE),
            ran(CONVERTED, logits=other),
            ran(SLOW),
            ran(FAST, latency=np.full((IMAGES, REPEATS), 0.005), probe_drift=1.3),
            failed(BROKEN),
        ],
    )


@pytest.fixture
def folder(tmp_path):
    """An empty folder for photographs."""
    path = tmp_path / "photographs"
    path.mkdir()
    return path
