"""Converted files are repaired by the command that a user types, and verified.

One study of a small model: edges that write a fault into ONNX and TFLite files, and tf2onnx, which
loses the last bias of a TFLite file. The repaired files are routes of the same study.
"""

import json
import subprocess

import numpy as np
import pytest
import torch
import xarray as xr
import yaml

from helpers import planted_edges, small_torch
from helpers.workspace import ROOT, small_study, verify

TO_TFLITE = ["torch_onnx", "onnx2tf", "tflite_converter"]
PLANTED, REAL = ["torch_onnx", "bad_onnx"], [*TO_TFLITE, "tflite_onnx"]
LITE = [*TO_TFLITE, "bad_tflite"]
CLEAN, BROKEN = ["torch_onnx", "again_onnx"], ["torch_onnx", "broken_onnx"]
RUN = "source/pillow/none/runtime/runtime/native/cpu"


def page(route: list[str]) -> str:
    target = "tflite" if route == LITE else "onnx"
    return f"results/repaired/repair/mine/torch/{target}/{'+'.join(route)}/{RUN}.html"


@pytest.fixture(scope="module")
def repaired(workspace, tmp_path_factory):
    """A workspace with the study and the pages of its routes, and the config's content."""
    space = workspace.copy(tmp_path_factory.mktemp("repair") / "space")
    planted_edges.plant(space.path)
    config = small_study(space, "repaired")
    program = torch.export.export(small_torch.network(), (torch.zeros(1, 3, 64, 64),))
    torch.export.save(program, space.path / "small.pt2")
    content = yaml.safe_load(config.read_text()) | {
        "backends": ["native", "O0"],
        "schedules": ["none"],
    }
    routes = [way for own in (PLANTED, CLEAN, BROKEN) for way in (own, [*own, "repaired"])]
    content["conversions"] = {"torch": {"torch": [[]], "onnx": [*routes, REAL], "tflite": [LITE]}}
    content["tvm_imports"] |= {"tflite": [[]]}
    content["edges"] |= planted_edges.edges({"onnx": "clip", "tflite": "bias"})
    content["edges"]["broken_onnx"] = {"converter": "planted_onnx", "fault": "unknown"}
    config.write_text(yaml.safe_dump(content))
    space.run(config, targets=(page(REAL), page(LITE), "results/repaired/summary.md"))
    return space, content


def facts_of(space, route: list[str]) -> dict:
    return json.loads((space.path / page(route)).with_suffix(".json").read_text())


def accepted(facts: dict) -> dict:
    """The only repair, once its numbers are checked."""
    (found,) = facts["repairs"]
    assert found["outcome"] == "accepted" and facts["outcome"] == "repaired"
    assert found["before"]["difference"] > 1e-3 > 1e-4 > found["after"]["difference"]
    assert found["after"]["labels"] == found["after"]["regressions"] == 0
    assert found["after"]["images"] == len(facts["images"]["held_out"]) == 4
    held = {name.removeprefix("mirrored: ") for name in facts["images"]["held_out"]}
    assert len(held) == 2 and not held & {*facts["images"]["search"]}
    compiled = {level: item["same"] for level, item in facts["compiled"].items()}
    assert compiled == dict.fromkeys(("O0", "O1", "O2", "O3", "O4"), True)
    return found


def test_a_planted_fault_is_repaired_by_an_edit(repaired):
    """No setting, rewrite or other tool helps against a converter that is wrong each time."""
    facts = facts_of(repaired[0], PLANTED)
    found = accepted(facts)
    assert found["edge"] == "bad_onnx" and found["kind"] == "edit" and len(found["edits"]) == 1
    assert [item["lowers_precision"] for item in facts["edges"]] == [False, False]
    tried = {row["kind"] for row in found["candidates"]}
    assert tried >= {"pre-pass", "rewrite", "edit"}
    (change,) = facts["changes"]
    assert (change["what"], change["before"]) in {("max", "0.5"), ("activation", "0.5")}
    text = (repaired[0].path / page(PLANTED)).read_text()
    assert "Repaired." in text and "none can be left out" in text


def test_the_bias_that_tf2onnx_loses_is_there_again(repaired):
    facts = facts_of(repaired[0], REAL)
    found = accepted(facts)
    assert found["edge"] == "tflite_onnx"
    assert [item["edge"] for item in facts["edges"]] == REAL
    if found["kind"] == "edit":
        assert "bias" in found["edits"][0] or "add" in found["edits"][0]


def test_a_fault_in_a_tflite_file_is_repaired_by_an_edit(repaired):
    facts = facts_of(repaired[0], LITE)
    found = accepted(facts)
    assert found["edge"] == "bad_tflite" and found["kind"] == "edit"
    assert [edit.split(": ")[1] for edit in found["edits"]] == ["set bias (10 numbers)"]
    (change,) = facts["changes"]
    assert (change["native"], change["what"]) == ("FULLY_CONNECTED", "bias")
    assert (repaired[0].path / page(LITE)).parent.joinpath(facts["file"]).suffix == ".tflite"


def test_a_right_file_is_left_alone(repaired):
    facts = facts_of(repaired[0], CLEAN)
    assert facts["outcome"] == "nothing to do" and facts["file"] == ""
    assert not list((repaired[0].path / page(CLEAN)).parent.glob("cpu.onnx"))


def test_a_repaired_route_is_a_route_like_others(repaired):
    """It is compiled, timed and compared, and answers as the unconverted model."""
    with xr.open_dataset(repaired[0].path / "results/repaired/study.nc") as study:
        study = study.load()
    route, backend = study["route"].values, study["backend"].values
    logits = {
        (str(way), str(name)): study["logits"].values[number]
        for number, (way, name) in enumerate(zip(route, backend, strict=True))
    }
    expected = logits["unconverted", "native"]
    scale = np.abs(expected).max()
    for name in ("native", "O0"):
        own, new = (logits["+".join(way), name] for way in (PLANTED, [*PLANTED, "repaired"]))
        assert np.abs(own - expected).max() > 1e-3 * scale > 1e-4 * scale
        assert np.abs(new - expected).max() < 1e-4 * scale
        chosen = (route == "+".join([*PLANTED, "repaired"])) & (backend == name)
        assert np.isfinite(study["latency"].values[chosen]).all()
    facts = facts_of(repaired[0], PLANTED)
    assert yaml.safe_load(facts["repaired_config"]) == {
        "conversions": {"torch": {"onnx": [PLANTED, [*PLANTED, "repaired"]]}}
    }


def test_a_right_file_is_its_own_repaired_file(repaired):
    folder = repaired[0].path / "results/repaired/models/mine/torch"
    own, new = (folder / f"{'+'.join(way)}.onnx" for way in (CLEAN, [*CLEAN, "repaired"]))
    assert own.read_bytes() == new.read_bytes()
    record = json.loads(new.with_name(f"{new.name}.json").read_text())
    assert record["details"]["repair"] == "nothing to do"


def test_a_conversion_that_failed_is_not_repaired_and_costs_nothing(repaired):
    facts = facts_of(repaired[0], BROKEN)
    assert facts["outcome"] == "not repaired"
    assert "no predictions to compare: convert failed, ValueError: unknown" in facts["broken"]
    with xr.open_dataset(repaired[0].path / "results/repaired/study.nc") as study:
        chosen = study["route"].values == "+".join([*BROKEN, "repaired"])
        assert set(study["failed_stage"].values[chosen]) == {"convert"}


def test_the_repaired_file_is_a_model_like_others(repaired):
    """By the lines on the page: a study of its own, whose answers are those of the PyTorch file."""
    space, content = repaired
    facts = facts_of(space, PLANTED)
    own = yaml.safe_load(facts["model_config"])
    assert (space.path / own["models"][0]["file"]).name == facts["file"] == "cpu.onnx"
    config = space.path / "own.yaml"
    changes = own | {"study": "own", "conversions": {"onnx": {"onnx": [[]]}}, "edges": {}}
    config.write_text(yaml.safe_dump(content | changes))
    name = own["models"][0]["name"]
    cell = f"results/own/predictions/{name}/onnx/onnx/unconverted/{RUN}.nc"
    space.run(config, targets=(cell,))
    assert (space.path / cell).exists()


def test_verify_says_nothing_of_pages_on_request(repaired):
    done = verify(repaired[0], "results/repaired")
    assert "repair/" not in done.stdout


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_rewrites_before_a_conversion_say_the_same(workspace, tmp_path, kind):
    """Each finds what it is for, once, and checks its own result on an image."""
    python = workspace.path / ".envs/onnx/bin/python"
    program = ROOT / "tests/helpers/rewritten_onnx.py"
    done = subprocess.run(
        [python, "-s", program, tmp_path, kind], capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert "unchecked" not in answer
    counts = {name: row[:2] for name, row in answer["found"].items()}
    *each, whole = counts.values()
    assert each == [[3, 0], [1, 0], [4, 0], [2, 0], [1, 0], [1, 0]]
    assert whole == [sum(count for count, _ in each), 0]
    kinds = {*list(answer["found"].values())[-1][2]}
    assert not kinds & {"Gelu", "HardSwish", "HardSigmoid", "BatchNormalization", "Gemm"}
