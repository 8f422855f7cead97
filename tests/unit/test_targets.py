"""LLVM is asked about every processor that a config names, once, where a TVM is installed."""

import sys

import pytest

from deltann.errors import StudyError
from deltann.study import layout
from deltann.workflow import targets

V9 = {"kind": "llvm", "mcpu": "x86-64-v9"}
CONFIG = {
    "compilers": {"tvm": "tvm"},
    "devices": {
        "here": {"target": {"kind": "llvm", "mcpu": "host"}},
        "board": {"target": V9, "rpc": {"host": "board", "port": 9090}},
        "gpu": {"target": {"kind": "cuda", "arch": "sm_80", "host": V9}},
        "any": {"target": {"kind": "cuda", "arch": "sm_80"}},
    },
}


def test_every_processor_that_is_named_is_asked_about():
    assert targets.named(CONFIG) == {
        "devices.board.target": {"mcpu": "x86-64-v9"},
        "devices.gpu.target.host": {"mcpu": "x86-64-v9"},
    }


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """A folder with a TVM whose answer is the second file's content."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    manifest = tmp_path / layout.manifest("tvm")
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    (tmp_path / "scripts").mkdir()
    monkeypatch.setattr(layout, "interpreter", lambda environment: [sys.executable])
    return tmp_path / "scripts/check_targets.py"


def test_an_unknown_one_is_refused(answers, tmp_path):
    answers.write_text("print('LLVM knows no ...')")
    with pytest.raises(StudyError, match="LLVM knows no"):
        targets.check(CONFIG, tmp_path / "state")


def test_a_known_one_is_asked_about_once(answers, tmp_path):
    answers.write_text("open('asked', 'a').write('x')")
    for _ in range(2):
        targets.check(CONFIG, tmp_path / "state")
    assert (tmp_path / "asked").read_text() == "x"


def test_without_tvm_the_first_job_asks(answers, tmp_path):
    (tmp_path / layout.manifest("tvm")).unlink()
    targets.check(CONFIG, tmp_path / "state")
    answers.write_text("raise ImportError('tvm')")  # a broken environment
    (tmp_path / layout.manifest("tvm")).write_text("{}")
    targets.check(CONFIG, tmp_path / "state")
