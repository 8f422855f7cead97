"""The way along a route past a file that its own runtime doesn't run."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deltann.execution.session import ToolFailed
from deltann.explain.chain import Artefact
from deltann.precision import Precision
from deltann.repair import outcomes, verdict
from deltann.repair.walk import Walk

RIGHT = np.eye(6, 10, dtype=np.float32)
WRONG = RIGHT[:, ::-1].copy()


class Elsewhere:
    """Gives answers by a file's name; None for a file that doesn't run."""

    shots = SimpleNamespace(names=tuple("abcdef"), seen=3)

    def __init__(self, answers: dict[str, np.ndarray | None]):
        self.known = answers
        self.movements = {Path("model"): 0.0}

    def answers(self, made, movement: bool = False) -> np.ndarray:
        found = self.known[made.path.name]
        if found is None:
            raise ToolFailed("NotImplemented", "Could not find an implementation for the node")
        return found


def walked(**answers: np.ndarray | None) -> Walk:
    """A walk along torch, onnx and tensorflow."""
    steps = [
        ("", "model", "torch"),
        ("torch_onnx", "first", "onnx"),
        ("onnx2tf", "last", "tensorflow"),
    ]
    chain = [
        Artefact(edge, edge, {}, framework, Path(name), "", Precision({}))
        for edge, name, framework in steps
    ]
    walk = Walk(chain, Elsewhere({"model": RIGHT} | answers))
    walk.run()
    return walk


def word(walk: Walk) -> str:
    found = [item["outcome"] for item in walk.repairs]
    return verdict.of_repairs(found, None, True, bool(walk.unjudged))


def test_a_wrong_file_behind_one_that_does_not_run_is_not_called_right():
    walk = walked(first=None, last=WRONG)
    assert [item["labels"] for item in walk.edges] == [None, 6]
    assert walk.edges[1]["why"].startswith("torch_onnx and onnx2tf together: changes answers")
    assert word(walk) == outcomes.NOT_REPAIRED


@pytest.mark.parametrize("last, said", [(RIGHT, outcomes.NOTHING), (None, outcomes.NOT_REPAIRED)])
def test_a_file_that_does_not_run_is_judged_by_the_next_one(last, said):
    walk = walked(first=None, last=last)
    assert (walk.repairs, word(walk)) == ([], said)
    assert walk.unjudged == ([] if last is RIGHT else ["torch_onnx", "onnx2tf"])
