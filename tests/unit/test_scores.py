"""The planted-fault benchmark: scores and baselines."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from deltann.steps import Operator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "faults")
    return importlib.import_module


def fault(*operators: str, around: tuple[str, ...] = (), family: str = "attributes") -> dict:
    return {"mutation": "epsilon", "family": family, "families": [family], "depth": "first"} | {
        "operators": [*operators],
        "around": [*around],
        "repairable": True,
    }


def truth(*faults: dict, kind: str = "fault", changes: str = "label", **more: object) -> dict:
    files = [{"framework": "torch", "path": "m.pt2"}, {"framework": "onnx", "path": "c.onnx"}]
    images = {"images": "right.npy", "converted_images": "right.npy"}
    made = {"id": "1", "part": "held-out", "framework": "onnx", "files": files, "operators": 10}
    made |= {"kind": kind, "class": changes, "floor": 1e-5, "change": 1.0, "model": "m"}
    return made | images | {"conversion": "v", "faults": [*faults]} | more


def answer(*ranked: list[str], outcome: str = "found", stage: object = 1, **more: object) -> dict:
    faults = [{"ranked": names} for names in ranked]
    return {"outcome": outcome, "stage": stage, "faults": faults, "seconds": 1.0} | more


def test_ranks_and_exam(module):
    case = module("judged").Case(truth(fault("b")), answer(["a", "b", "c"]))
    assert not case.within(1) and case.within(3)
    assert case.exam == pytest.approx(0.2)


def test_an_operator_that_is_not_named_costs_half_of_the_rest(module):
    case = module("judged").Case(truth(fault("z")), answer(["a", "b"]))
    assert not case.within(3)
    assert case.exam == pytest.approx((2 + 10 + 1) / 2 / 10)


def test_neighbours_are_a_right_answer(module):
    case = module("judged").Case(truth(fault(around=("p", "q"))), answer(["q"]))
    assert case.within(1)


def test_of_two_faults_both_must_be_found(module):
    both = truth(fault("a"), fault("b"), kind="double")
    judged = module("judged")
    assert judged.Case(both, answer(["a"], ["b"])).within(1)
    assert not judged.Case(both, answer(["a"])).within(3)


def test_a_fault_that_comes_second_does_not_hit_a_single_one(module):
    case = module("judged").Case(truth(fault("b")), answer(["a"], ["b"]))
    assert not case.within(1)


def test_the_stage_of_other_images_is_the_preprocessing(module):
    case = truth(fault(), converted_images="shifted.npy")
    judged = module("judged")
    assert judged.Case(case, answer(stage="preprocessing")).stage_right
    assert not judged.Case(case, answer(stage=1)).stage_right
    assert not judged.Case(case, answer()).has_operators


def test_same_is_never_the_right_stage(module):
    assert not module("judged").Case(truth(fault("a")), answer(outcome="same")).stage_right


def test_the_first_family_counts(module):
    judged = module("judged")
    right = truth(fault("a", family="layout"))
    assert judged.Case(right, answer(["a"], families=["layout", "graph"])).family_right
    assert not judged.Case(right, answer(["a"], families=["graph", "layout"])).family_right
    assert not judged.Case(right, answer(["a"], families=[])).family_right


def test_a_fault_that_changes_nothing_is_no_miss(module):
    case = module("judged").Case(truth(fault("a"), changes="equivalent"), answer(outcome="same"))
    score = module("score")
    assert score.planted([case]) == []
    assert score.scores([case])["alarm on equivalent"].startswith("0 of 1")


def test_a_repair_counts_by_unseen_images(module):
    judged = module("judged")
    repaired = {"repaired": True, "labels_left": 0, "left": 1e-6, "regressions": 0}
    case = judged.Case(truth(fault("a")), answer(["a"], **repaired))
    assert case.repaired(judged.FUNCTIONAL)
    wrong = judged.Case(truth(fault("a")), answer(["a"], **repaired | {"labels_left": 1}))
    assert not wrong.repaired(judged.FUNCTIONAL)


def test_scores_have_denominators_and_intervals(module):
    judged, score = module("judged"), module("score")
    cases = [
        judged.Case(truth(fault("a")), answer(["a"])),
        judged.Case(truth(fault("a")), answer(["b"])),
        judged.Case(truth(kind="clean", changes="equivalent"), answer(outcome="same")),
    ]
    rows = score.scores(cases)
    assert rows["operator, top 1"] == "1 of 2: 50.0 % (9.5 to 90.5)"
    assert rows["alarm on clean"].startswith("0 of 1: 0.0 % (0.0 to ")
    assert rows["repaired, functional"] == "–"


def test_mcnemar_is_exact(module):
    mcnemar = module("score").mcnemar
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 * 0.5**10)
    assert mcnemar(3, 3) == 1.0


def test_the_report_compares_on_the_same_cases(module, tmp_path):
    judged, score = module("judged"), module("score")
    names = importlib.import_module("baselines").BASELINES
    said = answer(["a"], baselines={name: ["b"] for name in names})
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "1.json").write_text(json.dumps(truth(fault("a"))))
    lines = [json.dumps({"id": "1"} | answer(["c"])), json.dumps({"id": "1"} | said)]
    (tmp_path / "out.jsonl").write_text("\n".join(lines))
    cases = judged.read(tmp_path, [tmp_path / "out.jsonl"])
    text = score.report(cases)
    assert "| the tool | 1 of 1: 100.0 %" in text  # the later line counts
    assert "first_divergence, reimplemented | 0 of 1" in text
    assert "| 1 | 0 | 1 |" in text
    assert not list(score.misses(cases)) or "epsilon" in next(score.misses(cases))


def test_the_report_says_of_what_a_part_is_made(module):
    judged, score = module("judged"), module("score")
    developed = truth(fault("a"), part=judged.DEVELOPMENT)
    cases = [
        judged.Case(developed, answer(["a"])),
        judged.Case(truth(fault("a"), changes="equivalent"), answer(outcome="same")),
        judged.Case(truth(fault("a"), fault("b"), kind="double", changes="tensor"), answer(["a"])),
    ]
    text = score.report(cases)
    assert "| development | 1 | 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| held-out | 2 | 0 | 1 | 0 | 1 | 0 | 0 | 0 | 0 |" in text
    # thresholds were chosen on it, so only what all of it gave is printed
    developed_part = text[text.index("### development") : text.index("### held-out")]
    assert "operator, top 1" in developed_part and "mutation" not in developed_part


def captured(module, change: int | None):
    """Three operators in a row on ten images; from one on, their results are others."""
    baselines = module("baselines")
    kinds = ("convolution", "clip", "convolution")
    operators = [
        Operator(f"n{place}", kind, kind, (f"t{place - 1}",), (f"t{place}",))
        for place, kind in enumerate(kinds)
    ]
    random = np.random.default_rng(0)
    values = {}
    for place in range(3):
        made = random.standard_normal((10, 1, 4, 2, 3)).astype(np.float32)
        far = 5 * (place + 1) if change is not None and place >= change else 0
        values[f"t{place}"] = made + far
    return baselines.Captured(operators, values, "t2")


def test_baselines_are_silent_on_equal_models(module):
    baselines = module("baselines")
    found = baselines.run(captured(module, None), captured(module, None))
    assert not any(found.values())


def test_what_the_baselines_rank_first(module):
    baselines = module("baselines")
    found = baselines.run(captured(module, None), captured(module, 1))
    assert {name: ranked[0] for name, ranked in found.items()} == {
        "topological": "n0",
        "first_divergence": "n1",
        "convolutions": "n2",
        "single_pass": "n2",
    }
