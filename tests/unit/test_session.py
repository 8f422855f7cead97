"""An object in another process: what its calls come to if the process ends."""

import sys

import pytest

from deltann.execution.isolation import Limits
from deltann.execution.session import LastingSession, Session, ToolFailed

ROOMY = Limits(seconds=60, memory_mb=4000)
SHORT, SMALL = Limits(seconds=0.5, memory_mb=4000), Limits(seconds=60, memory_mb=150)


def start(limits: Limits = ROOMY) -> Session:
    return Session([sys.executable], "deltann.stages.misbehave", {}, limits)


@pytest.mark.parametrize(
    ("how", "limits", "type_"),
    [("segfaults", ROOMY, "SIGSEGV"), ("eats", SMALL, "MemoryLimit"), ("eats", SHORT, "TimeLimit")],
)
def test_a_call_after_the_process_has_ended_is_a_failure_of_the_tool(package, how, limits, type_):
    with start() as session:
        session.limits = limits
        with pytest.raises(ToolFailed, match=type_):
            session.call("call", how=how)
        with pytest.raises(ToolFailed, match="an earlier call ended the process"):
            session.call("call", how="returns")


def test_a_lasting_session_answers_the_call_after_a_crash(package):
    session = LastingSession(start)
    try:
        with pytest.raises(ToolFailed, match="SIGSEGV"):
            session.call("call", how="segfaults")
        assert session.call("call", how="returns") == {"answer": 42}
        with pytest.raises(ToolFailed, match="unsupported operator: Swish"):
            session.call("call", how="raises")  # which ends no process
        assert session.call("call", how="returns") == {"answer": 42}
    finally:
        session.close()
