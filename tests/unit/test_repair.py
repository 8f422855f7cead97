"""Repair of planted faults by edits, and what accepts a repair."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deltann.edits import Edit, Impossible, SetAttribute, SetParameter
from deltann.execution.session import ToolFailed
from deltann.localise.finding import Difference, Family, Fault, Localisation, Outcome, Verdict
from deltann.localise.localise import localise
from deltann.repair import by_edits, changes, shots
from deltann.repair.by_edits import Tools
from deltann.repair.judge import Judgement, judge
from deltann.steps import Operator
from helpers.numpy_model import NumpyTracer, changed, network

IMAGES = list(
    np.random.default_rng(3).standard_normal((8, *NumpyTracer.input_shape)).astype(np.float32)
)
CONVERTED = Path("converted.onnx")


class Files:
    """Model files in memory: opened, edited and localised as those on disk are."""

    def __init__(self, operators: Sequence[Operator]):
        self.operators = {CONVERTED: list(operators)}
        self.crash = ""

    def open(self, framework: str, path: Path) -> NumpyTracer:
        return NumpyTracer(self.operators[path])

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def apply(self, path: Path, edits: Sequence[Edit], output: Path) -> None:
        operators = self.operators[path]
        for edit in edits:
            if getattr(edit, "operator", "") == self.crash:
                raise ToolFailed("SIGSEGV", "the process ended by SIGSEGV without an answer")
            operators = edited(operators, edit)
        self.operators[output] = operators

    def tools(self, find=localise) -> Tools:
        def found(source, target, images):
            return find(source, target, np.stack(images))

        return Tools(self.open, lambda framework: self, found)


def edited(operators: Sequence[Operator], edit: Edit) -> list[Operator]:
    (operator,) = (item for item in operators if item.name == edit.operator)
    match edit:
        case SetAttribute():
            given = {"attributes": operator.attributes | {edit.attribute: edit.value}}
        case SetParameter():
            given = {"parameters": operator.parameters | {edit.parameter: edit.value}}
        case _:
            raise Impossible(type(edit).__name__)
    return changed(operators, edit.operator, **given)


def parameters(name: str) -> dict[str, np.ndarray]:
    return next(item for item in network() if item.name == name).parameters


def without_bias(operators: Sequence[Operator], name: str) -> list[Operator]:
    return changed(operators, name, parameters={"weight": parameters(name)["weight"]})


def searched(operators: Sequence[Operator], find=localise, images=IMAGES, crash: str = ""):
    files = Files(operators)
    files.crash = crash
    return by_edits.search(
        NumpyTracer(network()), "onnx", CONVERTED, images, Path("folder"), tools=files.tools(find)
    )


def pointing(*differences: Difference):
    """A localisation that always says the same."""

    def find(*_: object) -> Localisation:
        end = ("logits", "logits")
        fault = Fault(Verdict.SUSPECTED, "", (), (), (), end, 1.0, 0.0, differences, ())
        return Localisation(Outcome.FOUND, "", 1.0, 1e-6, 1, 1, (fault,))

    return find


def difference(*edits: Edit) -> Difference:
    return Difference(Family.ATTRIBUTES, "", edits=edits)


EPSILON = SetAttribute("norm1", "epsilon", 1e-3)
HARMLESS = SetAttribute("relu2", "max", 6)


@pytest.mark.parametrize(
    "fault",
    [
        changed(network(), "norm1", attributes={"epsilon": 0.5}),
        changed(network(), "relu2", attributes={"min": 0, "max": None}),
        without_bias(network(), "conv2"),
        without_bias(network(), "dense"),
    ],
    ids=["epsilon", "clip", "bias within", "bias at the end"],
)
def test_a_fault_is_repaired_by_one_edit(fault):
    found = searched(fault)
    assert found.best.fixed and len(found.best.edits) == 1
    assert found.best.seen == Judgement(4, 0, pytest.approx(0, abs=1e-5), 0)


def test_two_faults_are_repaired_together():
    fault = without_bias(changed(network(), "norm1", attributes={"epsilon": 0.5}), "dense")
    found = searched(fault)
    assert found.best.fixed
    assert {edit.operator for edit in found.best.edits} == {"norm1", "dense"}


def test_two_faults_are_repaired_one_after_the_other():
    """The first repair alone may bring the answers no nearer."""
    fault = without_bias(changed(network(), "norm1", attributes={"epsilon": 0.5}), "dense")

    def first_only(*given: object) -> Localisation:
        found = localise(*given)
        return replace(found, faults=found.faults[:1])

    found = searched(fault, first_only)
    assert found.best.fixed and len(found.best.rounds) == 2


def test_an_edit_that_can_be_left_out_is_left_out():
    fault = changed(network(), "norm1", attributes={"epsilon": 0.5})
    both = pointing(difference(HARMLESS, EPSILON))
    assert searched(fault, both).best.edits == [EPSILON]


def test_images_that_the_search_did_not_see_decide():
    """Clipped at a bound that only the last image reaches."""
    images = [image * (4 if number == 7 else 0.01) for number, image in enumerate(IMAGES)]
    top = max(float(run(network(), image, "c").max()) for image in images[:5])
    assert run(network(), images[7], "c").max() > top
    wrong = SetAttribute("relu1", "max", top)
    found = searched(
        changed(network(), "relu1", attributes={"min": 0, "max": top / 2}),
        pointing(difference(wrong)),
        images,
    )
    assert not found.best.fixed
    assert "other images still differ" in [row["why"] for row in found.tried]
    assert by_edits.repair(
        NumpyTracer(network()),
        "onnx",
        CONVERTED,
        images,
        Path("folder"),
        Files(network()).tools(pointing(difference(wrong))),
    )[:2] == (None, [])


def run(operators: Sequence[Operator], image: np.ndarray, tensor: str) -> np.ndarray:
    return NumpyTracer(operators).run(image, [tensor])[tensor]


def test_a_tools_crash_is_a_row():
    fault = changed(network(), "norm1", attributes={"epsilon": 0.5})
    found = searched(fault, pointing(difference(HARMLESS), difference(EPSILON)), crash="relu2")
    assert found.best.edits == [EPSILON]
    assert [row["outcome"] for row in found.tried][:1] == ["failed"]
    assert "SIGSEGV" in found.tried[0]["why"]


def test_without_a_difference_nothing_is_edited():
    found = searched(network())
    assert found.localisation.outcome == Outcome.SAME
    assert found.best.edits == [] and not found.tried


def test_an_answer_that_agreed_before_must_still_agree():
    expected = np.array([[1.0, 0], [1, 0], [0, 1]])
    before = np.array([[1.0, 0], [0, 1], [1, 0]])
    after = np.array([[0.0, 1], [1, 0], [0, 1]])
    found = judge(expected, after, before)
    assert (found.labels, found.regressions) == (1, 1) and not found.within(10)
    assert found.better_than(judge(expected, before))
    near = judge(expected, expected * 1.0001, expected, 1e-6)
    assert (near.labels, near.regressions) == (0, 3)
    assert judge(expected, np.full((3, 2), np.nan)).facts()["difference"] is None
    assert judge(expected, np.zeros((3, 5))).labels == 3


def test_the_search_sees_those_that_changed_most():
    native = np.tile(np.array([[1.0, 0]], np.float32), (60, 1))
    other = native.copy()
    other[[7, 9, 20, 30, 40], 1] = [2, 0.5, 0.3, 0.2, 0.1]
    seen, others = shots.choose(native, other)
    assert seen[:4] == [7, 9, 20, 30] and len(seen) == 5 and other[seen[4], 1] == 0
    assert 40 in others and len(others) == len({*others}) == 40
    assert not {*seen} & {*others}
    few = shots.choose(native[:3], other[:3])
    assert (len(few[0]), len(few[1])) == (2, 1)


def test_changes_say_what_is_otherwise():
    after = changed(network(), "norm1", attributes={"epsilon": 0.5})
    after = without_bias(after, "dense")
    rows = {(row["operator"], row["what"]): row for row in changes.between(network(), after)}
    assert rows["norm1", "epsilon"]["before"] == "0.001"
    assert rows["norm1", "epsilon"]["after"] == "0.5"
    assert rows["dense", "bias"]["after"] == "none"
    assert len(rows) == 2
    shifted = changed(network(), "dense", parameters=parameters("dense") | {"bias": np.zeros(7)})
    (row,) = changes.between(network(), shifted)
    assert row["after"].startswith("7 of 7 numbers differ")
