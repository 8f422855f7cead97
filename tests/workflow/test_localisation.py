"""Faults of known place and kind, found again and repaired by the commands that a user types.

One study of a small model. Its converters write faults into files of all formats, and some of its
cells differ by their images, their precision, or a fault of a current tool.
"""

import json
import re
import subprocess
import zipfile

import numpy as np
import pytest
import torch
import yaml

from helpers import planted_edges, small_torch
from helpers.workspace import small_study

TO_TFLITE = ["torch_onnx", "onnx2tf", "tflite_converter"]
FAULTS = {
    "torch": "epsilon",
    "onnx": "clip",
    "tensorflow": "weight",
    "keras": "weight",
    "tflite": "bias",
}
ROUTES = {
    "torch": [[], ["bad_torch"], ["broken_torch"]],
    "onnx": [
        ["torch_onnx"],
        ["torch_onnx", "bad_onnx"],
        ["torch_onnx", "onnx_float16"],
        [*TO_TFLITE, "tflite_onnx"],  # tf2onnx loses a bias
    ],
    "tensorflow": [["torch_onnx", "onnx2tf", "bad_tensorflow"]],
    "keras": [["torch_onnx", "onnx2keras", "bad_keras"]],
    "tflite": [[*TO_TFLITE, "again_tflite"], [*TO_TFLITE, "bad_tflite"]],
}
REPAIRED = [target for target in FAULTS if target != "onnx"]  # for ONNX files: test_repair.py
# What the page must say of each fault: its family, the word for what differs, the operator's kind.
FOUND = {
    "torch": ("attributes", "epsilon", "batch_norm"),
    "onnx": ("activation", "max", "clip"),
    "tensorflow": ("parameters", "weight", "convolution"),
    "keras": ("parameters", "weight", "convolution"),
    "tflite": ("parameters", "bias", "dense"),
}
IMPORTED = ("torch", "onnx", "tflite")
RUN = "none/runtime/runtime/native/cpu"


def cell(target: str, route: list[str], preparation: str = "source", run: str = RUN) -> str:
    """The path of a cell."""
    return f"mine/torch/{target}/{'+'.join(route) or 'unconverted'}/{preparation}/pillow/{run}"


def with_bad(target: str) -> list[str]:
    """The route of a target that has a planted fault."""
    return next(route for route in ROUTES[target] if f"bad_{target}" in route)


CELLS = {
    **{target: cell(target, with_bad(target)) for target in FAULTS},
    "clean": cell("tflite", [*TO_TFLITE, "again_tflite"]),
    "real": cell("onnx", [*TO_TFLITE, "tflite_onnx"]),
    "precision": cell("onnx", ["torch_onnx", "onnx_float16"]),
    "images": cell("torch", [], "raw"),
    "both": cell("onnx", ["torch_onnx", "bad_onnx"], "raw"),
    "runtime": cell("torch", [], run="none/runtime/runtime/half/cpu"),
    "compiled": cell("tflite", with_bad("tflite"), run="direct/tvm/none/O0/cpu"),
}


def page(name: str) -> str:
    return f"results/planted/explain/{CELLS[name]}.html"


def repair(name: str) -> str:
    return f"results/planted/repair/{CELLS[name]}.html"


@pytest.fixture(scope="module")
def planted(workspace, tmp_path_factory):
    """A workspace with the study, every page of it, a repair in each format; and the config."""
    space = workspace.copy(tmp_path_factory.mktemp("localisation") / "space")
    planted_edges.plant(space.path)
    config = small_study(space, "planted")
    program = torch.export.export(small_torch.network(), (torch.zeros(1, 3, 64, 64),))
    torch.export.save(program, space.path / "small.pt2")
    content = yaml.safe_load(config.read_text()) | {
        "conversions": {"torch": ROUTES},
        "preprocessing": ["source", "raw"],
        "backends": ["native", "half", "O0"],
        "runtimes": {"half": {"framework": "torch", "settings": {"autocast": True}}},
        "tvm_imports": {name: [[]] if name in IMPORTED else [] for name in ROUTES},
        "schedules": ["none"],
    }
    content["edges"] |= planted_edges.edges(FAULTS)
    content["edges"]["broken_torch"] = {"converter": "planted_torch", "fault": "unknown"}
    config.write_text(yaml.safe_dump(content))
    pages = [page(name) for name in CELLS] + [repair(name) for name in REPAIRED]
    space.run(config, targets=tuple(pages))
    return space, config


def facts_of(space, name: str) -> dict:
    return json.loads((space.path / page(name)).with_suffix(".json").read_text())


def text_of(space, name: str) -> str:
    return (space.path / page(name)).read_text()


def differing(facts: dict) -> list[tuple[str, str]]:
    """The stages that change answers, and their names."""
    return [(row["stage"], row["name"]) for row in facts["stages"] if row["differs"]]


@pytest.mark.parametrize("target", FAULTS)
def test_a_planted_fault_is_located(planted, target):
    """In each format: the edge, the operator, the family and what differs."""
    facts = facts_of(planted[0], target)
    assert differing(facts) == [("conversion", f"bad_{target}")]
    (found,) = facts["localisations"]
    assert found["outcome"] == "found", found["why"]
    (fault,) = found["faults"]
    assert fault["verdict"] == "located"
    family, word, kind = FOUND[target]
    first = fault["differences"][0]
    assert first["family"] == family and word in first["what"], first
    blamed = {item["name"]: item for item in fault["target_operators"]}[fault["ranked"][0]]
    assert kind in (blamed["kind"], blamed["attributes"].get("activation", {}).get("kind"))
    assert facts["verdict"][0].startswith(f"bad_{target} changed `{blamed['name']}`")
    text = text_of(planted[0], target)
    assert f"What bad_{target} changed" in text and "located" in text


@pytest.mark.parametrize("target", REPAIRED)
def test_a_planted_fault_is_repaired(planted, target):
    """In each other format too, by one edit of the converter's own file."""
    path = (planted[0].path / repair(target)).with_suffix(".json")
    facts = json.loads(path.read_text())
    assert facts["outcome"] == "repaired", facts["verdict"]
    (found,) = facts["repairs"]
    assert (found["edge"], found["kind"], len(found["edits"])) == (f"bad_{target}", "edit", 1)
    assert found["before"]["difference"] > 1e-3 > 1e-4 > found["after"]["difference"]
    assert (path.parent / facts["file"]).stat().st_size and facts["framework"] == target
    levels = {"O0", "O1", "O2", "O3", "O4"} if target in IMPORTED else set()
    assert {level for level, item in facts["compiled"].items() if item["same"]} == levels


def test_a_fault_of_a_current_tool_is_located(planted):
    """By the last of four edges, tf2onnx loses the bias of the last layer."""
    facts = facts_of(planted[0], "real")
    assert differing(facts) == [("conversion", "tflite_onnx")]
    assert [item["edge"] for item in facts["chain"]] == ["", *TO_TFLITE, "tflite_onnx"]
    (fault,) = facts["localisations"][0]["faults"]
    assert fault["differences"][0]["what"] == "dense's bias is missing"
    assert re.match("tflite_onnx changed `.+` .+ bias is missing", facts["verdict"][0])
    assert facts["localisations"][0]["matched"] > 5


def test_beside_the_page_is_an_example_for_a_bug_report(planted, tmp_path):
    """Its script needs the tools and numpy, and prints both answers and numpy's."""
    space = planted[0]
    with zipfile.ZipFile((space.path / page("real")).with_suffix(".zip")) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} >= {
        "README.md",
        "model.tflite",
        "input000.npy",
        "requirements.txt",
    }
    text = (folder / "reproduce.py").read_text()
    assert "deltann" not in text and "bias is missing" in text
    assert "The suspect operators alone" in (folder / "README.md").read_text()
    python = space.path / ".envs/tensorflow/bin/python"
    command = [python, "-I", "reproduce.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    before, after, alone = re.findall(r"(?s)(?:before|after|alone): *\[(.+?)\]", done.stdout)
    before, after, alone = (np.array(text.split(), float) for text in (before, after, alone))
    np.testing.assert_allclose(before, alone, rtol=1e-4)
    assert np.abs(before - after).max() > 0.01


def test_without_a_fault_there_is_no_example(planted):
    path = (planted[0].path / page("clean")).with_suffix(".zip")
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert "there is no example" in archive.read(name).decode()


def test_a_clean_conversion_raises_no_alarm(planted):
    facts = facts_of(planted[0], "clean")
    assert facts["stages"] == facts["localisations"] == []
    assert "No difference" in facts["verdict"][0]
    assert "Nothing was run" in text_of(planted[0], "clean")


def test_a_lower_precision_is_a_loss_and_not_a_fault(planted):
    facts = facts_of(planted[0], "precision")
    assert differing(facts) == [("precision", "onnx_float16")]
    assert facts["localisations"] == []
    assert "float32 becomes float16" in facts["verdict"][0]
    (lost,) = facts["losses"]
    assert lost["paired"] == lost["weighted"] > 2
    ratios = [item["local"] for item in lost["layers"]]
    assert ratios == sorted(ratios) and ratios[0] < 100
    assert "What onnx_float16 loses" in text_of(planted[0], "precision")


def test_a_preparation_of_the_images_is_the_stage(planted):
    facts = facts_of(planted[0], "images")
    assert differing(facts) == [("images", "preparation of the images")]
    assert facts["stages"][0]["alone"]
    assert "mean: 0, not 0.485, 0.456, 0.406" in facts["verdict"][0]
    assert "the difference is gone" in facts["verdict"][0]


def test_images_and_an_edge_are_told_apart(planted):
    facts = facts_of(planted[0], "both")
    assert {stage for stage, _ in differing(facts)} == {"images", "conversion"}
    assert not facts["stages"][0]["alone"]
    assert facts["localisations"][0]["faults"][0]["differences"][0]["family"] == "activation"


def test_a_runtime_that_computes_in_less_is_the_stage(planted):
    facts = facts_of(planted[0], "runtime")
    ((stage, name),) = differing(facts)
    assert stage == "precision" and "half" in name
    assert "bfloat16" in facts["verdict"][0]


def test_a_compiled_cell_has_the_stages_of_its_file_too(planted):
    facts = facts_of(planted[0], "compiled")
    assert differing(facts) == [("conversion", "bad_tflite")]
    assert [row["stage"] for row in facts["stages"]][-1] == "import"
    assert facts["minimal"] == [] and facts["kernel"] is None
    assert facts["localisations"][0]["faults"][0]["differences"][0]["key"] == "bias"


def test_a_page_is_read_on_a_phone(planted):
    text = text_of(planted[0], "real")
    assert 'name="viewport"' in text
    assert text.count("<table>") == text.count('<div class="wide">')


def test_a_crash_while_locating_is_an_outcome(planted, tmp_path):
    space = planted[0].copy(tmp_path / "space", studies=True)
    module = space.path / "scripts/deltann/tracers/tflite.py"
    module.write_text(
        module.read_text() + "\n\nimport os, signal\n\n\ndef crash(*_: object) -> None:\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)\n\n\nTracer.operators = crash\n"
    )
    space.run(planted[1].relative_to(planted[0].path), targets=(page("tflite"),))
    facts = facts_of(space, "tflite")
    assert differing(facts) == [("conversion", "bad_tflite")]
    assert facts["localisations"][0]["error"]["type"] == "SIGSEGV"
    assert "The operator isn't known: a tool failed on the way (SIGSEGV" in facts["verdict"][0]
    assert "SIGSEGV" in text_of(space, "tflite")


def test_a_native_cell_has_nothing_to_explain(planted):
    space, config = planted
    target = f"results/planted/explain/{cell('torch', [])}.html"
    done = space.snakemake(config, targets=(target,))
    assert done.returncode != 0
    assert "is the native cell that others are compared with" in done.stdout


def test_a_failed_cell_names_its_failure(planted):
    """The failure is the explanation."""
    space, config = planted
    target = f"results/planted/explain/{cell('torch', ['broken_torch'])}.html"
    done = space.snakemake(config, targets=(target,))
    assert done.returncode != 0
    assert "the cell failed, and that is the explanation: convert failed with ValueError" in (
        done.stdout
    )
