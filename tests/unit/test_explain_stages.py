"""The stage that is blamed, by what the files on the way answer; and findings as facts."""

import json
from pathlib import Path

import numpy as np
import pytest

from deltann.edits import SetParameter
from deltann.execution.isolation import Limits
from deltann.execution.session import ToolFailed
from deltann.explain import answer, compared, operators, sections, stages
from deltann.explain.chain import Artefact, Images
from deltann.explain.stages import Case, Runtime
from deltann.localise.finding import Difference, Family, Fault, Localisation, Outcome, Verdict
from deltann.precision import Precision
from deltann.steps import Operator

NATIVE = np.float32([[1, 5, 2], [3, 1, 2]])
GRAPH = {
    "resize": 8,
    "crop": [8, 8],
    "interpolation": "bilinear",
    "channels": "RGB",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "classes": 3,
    "background": 0,
}
OWN = Runtime("onnx's own runtime", True, False, "float32", "the model's own file")


def artefact(edge: str, precision: str = "float32") -> Artefact:
    return Artefact(edge, edge, {}, "onnx", Path(f"{edge}.onnx"), "", Precision({precision: 1}))


def images(**changes) -> Images:
    return Images(np.zeros((2, 8, 8, 3), np.uint8), GRAPH | changes, "pillow")


def case(monkeypatch, answers: dict[str, object], own, chain, runtime=OWN, images_=None) -> Case:
    """A cell whose files answer what is given by their edge, or fail so."""
    monkeypatch.setattr(Case, "_asked", lambda self, item, _: answers[item.edge])
    first = images()
    files = [artefact(""), *chain]
    return Case(files, first, images_ or first, NATIVE, own, runtime, Limits(1, 1), 1)


def found(outcome: Outcome, *faults: Fault) -> Localisation:
    return Localisation(outcome, "because.", 0.5, 1e-6, 3, 4, faults)


def locating(monkeypatch, finding: Localisation) -> list[tuple[str, str]]:
    """Let every localisation find this; the edges before and at each are listed."""
    asked: list[tuple[str, str]] = []

    def located(source, target, *_):
        asked.append((source.edge, target.edge))
        return finding, {"edge": target.edge} | operators.facts(finding)

    monkeypatch.setattr(operators, "located", located)
    return asked


def test_an_edge_is_blamed_for_its_own_difference_only(monkeypatch):
    asked = locating(monkeypatch, found(Outcome.FOUND))
    made = case(
        monkeypatch, {"a": NATIVE, "b": NATIVE + 1}, NATIVE + 1, map(artefact, ("a", "b", "c"))
    )
    rows, localisations, lost = stages.of_edges(made)
    assert [(row["stage"], row["name"], row["differs"]) for row in rows] == [
        ("conversion", "a", False),
        ("conversion", "b", True),
        ("conversion", "c", False),
    ]
    assert asked == [("a", "b")] and len(localisations) == 1 and not lost


def test_files_that_agree_unfused_clear_the_edge(monkeypatch):
    locating(monkeypatch, found(Outcome.SAME))
    made = case(monkeypatch, {}, NATIVE + 1, [artefact("a")])
    ((row,), _, _) = stages.of_edges(made)
    assert row["stage"] == "runtime" and "operator by operator" in row["why"]
    low = Runtime("onnx's own runtime", True, False, "bfloat16", "the default of onnx")
    made = case(monkeypatch, {}, NATIVE + 1, [artefact("a")], low)
    ((row,), _, _) = stages.of_edges(made)
    assert row["stage"] == "precision" and "float32 becomes bfloat16" in row["why"]


def test_a_file_that_does_not_run_is_passed_over(monkeypatch):
    asked = locating(monkeypatch, found(Outcome.FOUND))
    failure = ToolFailed("SIGSEGV", "gone")
    made = case(monkeypatch, {"a": failure}, NATIVE + 1, map(artefact, ("a", "b")))
    rows, _, _ = stages.of_edges(made)
    assert [(row["name"], row["differs"]) for row in rows] == [("a", None), ("a and b", True)]
    assert asked == [("", "b")]
    facts = {"difference": compared.compare(NATIVE, NATIVE + 1), "stages": rows[:1]}
    line, whole = answer.sentences(facts | {"localisations": [], "images": [{}]})
    assert whole.startswith("Over all 2 images, 0 labels differ")
    assert line == "What a does isn't known: SIGSEGV: gone."


def test_a_lower_precision_is_a_loss(monkeypatch):
    lost = {"edge": "a", "changed": 1, "kept": ["conv"], "tried": [[1, 0]], "left": 0}
    monkeypatch.setattr(operators, "lost", lambda *_: lost)
    made = case(monkeypatch, {}, NATIVE[:, ::-1], [artefact("a", "int8")])
    rows, localisations, losses = stages.of_edges(made)
    assert rows[0]["stage"] == "precision" and losses == [lost] and not localisations
    facts = {"difference": compared.compare(NATIVE, NATIVE[:, ::-1]), "stages": rows}
    lines = answer.sentences(facts | {"losses": losses, "images": [{}]})
    assert "float32 becomes int8" in lines[0]
    assert lines[1] == "`conv` alone, kept in float32, bring all of these labels back (tried)."


@pytest.mark.parametrize("alone", [True, False])
def test_images_are_a_stage_of_their_own(monkeypatch, alone):
    others = images(mean=[0.25, 0.25, 0.25], channels="BGR")
    right = NATIVE if alone else NATIVE + 1
    made = case(monkeypatch, {"a": right}, NATIVE + 3, [artefact("a")], OWN, others)
    (row,) = stages.of_images(made)
    assert row["differs"] and row["alone"] == alone
    assert row["why"] == "channels: BGR, not RGB; mean: 0.25, not 0.5"
    assert stages.of_images(case(monkeypatch, {}, NATIVE, [])) == []


def test_what_tvm_imports_is_located_like_an_edge(monkeypatch):
    tvm = Runtime("TVM direct on cpu", False, True, "float32", "the model's own file")
    asked = locating(monkeypatch, found(Outcome.FOUND))
    made = case(monkeypatch, {"a": NATIVE}, NATIVE + 1, [artefact("a")], tvm)
    assert stages.of_import(made, NATIVE, 3)[1] == [] and not asked
    row, located = stages.of_import(made, NATIVE + 1, 0)
    assert (row["stage"], row["localisation"]) == ("import", 0)
    assert asked == [("a", "TVM's import of the onnx file of a")]
    facts = {"difference": compared.compare(NATIVE, NATIVE + 1), "stages": [row], "images": [{}]}
    line, _ = answer.sentences(facts | {"localisations": located})
    assert line.startswith("TVM's import of the onnx file of a changes no label, but logits")
    assert "before any pass. The operator isn't known: Because." in line
    locating(monkeypatch, found(Outcome.SAME))
    row, located = stages.of_import(made, NATIVE + 1, 0)
    assert not located and "run operator by operator" in row["why"]
    line, _ = answer.sentences(facts | {"stages": [row], "localisations": []})
    assert line.endswith("before any pass: " + row["why"] + ".")


def operator(name: str, kind: str = "dense", **parameters) -> Operator:
    return Operator(name, kind.title(), kind, ("x",), ("y",), {"axis": 1}, parameters)


def test_findings_are_json_and_arrays_are_summarised():
    weight = np.arange(100, dtype=np.float32).reshape(10, 10)
    edit = SetParameter("<t>", "bias", np.float32([1, np.inf]))
    difference = Difference(
        Family.PARAMETERS,
        "dense's bias is missing",
        "<t>",
        "s",
        "bias",
        np.float32(2),
        None,
        (edit,),
    )
    fault = Fault(
        Verdict.LOCATED,
        "it is so",
        (operator("s", weight=weight),),
        (operator("<t>", weight=weight),),
        (("a", "b"),),
        ("c", "d"),
        float("inf"),
        0.0,
        (difference,),
        ("<t>",),
    )
    facts = json.loads(json.dumps(operators.facts(found(Outcome.FOUND, fault)), allow_nan=False))
    (told,) = facts["faults"]
    summary = told["source_operators"][0]["parameters"]["weight"]
    assert (summary["shape"], summary["largest"]) == ([10, 10], 99.0) and "values" not in summary
    assert told["local_error"] is None
    assert told["differences"][0]["edits"][0]["value"]["values"] == [1.0, "inf"]
    assert answer.fault_in_words(told) == "`<t>` (Dense): dense's bias is missing (located)"
    described = {"edge": "e", "source": "onnx", "target": "keras"} | facts
    text = sections.localisations({"localisations": [described]})
    assert "&lt;t&gt;" in text and "<t>" not in text and "10 × 10 from 0 to 99" in text
