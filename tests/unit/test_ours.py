"""The line between faults of ours and failures of tools."""

import ast

import pytest

from deltann.errors import StudyError
from deltann.execution.isolation import Limits, Task
from deltann.ours import WORK, Fault, ours
from helpers.workspace import ROOT

ROOMY = Limits(seconds=60, memory_mb=4000)


def test_whatever_is_raised_inside_is_a_fault():
    @ours("the rewrite")
    def rewrite():
        raise KeyError("bias")

    with pytest.raises(Fault, match="please report it.*the rewrite failed: KeyError: 'bias'"):
        rewrite()
    with pytest.raises(StudyError, match="mend it"), ours("the rewrite"):
        raise StudyError("mend it")
    assert WORK.names == []


def test_what_goes_on_is_known_by_name(monkeypatch):
    seen = []
    monkeypatch.setattr(WORK, "report", lambda names: seen.append(list(names)))
    with ours("one"), ours("two"):
        pass
    assert seen == [["one"], ["one", "two"], ["one"], []]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raises_in_ours", "a fault of this project.*planted work failed: RuntimeError: unsupp"),
        ("segfaults_in_ours", "a fault of this project.*planted work failed: SIGSEGV"),
    ],
)
def test_work_of_ours_stops_the_job(package, tmp_path, how, said):
    with pytest.raises(StudyError, match=said):
        Task("deltann.stages.misbehave", {"how": how}, ROOMY, tmp_path).wait()


def test_a_tool_behind_it_still_fails_by_itself(package, tmp_path):
    arguments = {"how": "segfaults_after_ours"}
    outcome = Task("deltann.stages.misbehave", arguments, ROOMY, tmp_path).wait()
    assert outcome.failure.type == "SIGSEGV"


def test_every_graph_pass_is_a_graph_pass_of_ours():
    """TVM's own decorators lose an exception's class, and with it whose fault it is."""
    for path in (ROOT / "scripts/deltann").rglob("*.py"):
        names = {getattr(node, "attr", "") for node in ast.walk(ast.parse(path.read_text()))}
        assert not names & {"module_pass", "function_pass", "dataflowblock_pass"}, path
