"""Planted faults found again: a wrong pass, a wrong schedule, and none.

They are planted in passes and schedules of this project, which can be edited, and stand for TVM's.
So the check that stops a job for a fault of ours is taken out.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from helpers.workspace import ROOT

SEED = 5  # of the model; swapped branches change the label of every photograph
PASSES = ["FuseOps", "FoldConstant", "CombineParallelConv2D", "FastMathTransform"]
WAY = "mine/onnx/onnx/unconverted/source/pillow"
UNSCHEDULED = f"{WAY}/direct/tvm/none/few/cpu"
SCHEDULED = f"{WAY}/direct/tvm/rules/scheduled/cpu"
NATIVE = f"{WAY}/none/runtime/runtime/native/cpu"


def page_of(cell: str) -> str:
    return f"results/branched/explain/{cell}.html"


def explain(space, config: Path, cell: str) -> tuple[dict, str]:
    """A cell's facts and page, by the command that a user types."""
    space.run(config, targets=(page_of(cell),))
    path = space.path / page_of(cell)
    return json.loads(path.with_suffix(".json").read_text()), path.read_text()


@pytest.fixture(scope="module")
def branched(workspace, tmp_path_factory):
    """A workspace with the branched model as one's own, and its config."""
    space = workspace.copy(tmp_path_factory.mktemp("explain") / "space")
    folder = space.path / "my-model"
    (folder / "images").mkdir(parents=True)
    for photograph in (space.path / "photographs").glob("*.jpg"):  # without ImageNet's labels
        shutil.copy2(photograph, folder / "images")
    program = ROOT / "tests/helpers/branched_model.py"
    python = space.path / ".envs/tvm/bin/python"
    subprocess.run([python, program, folder / "model.onnx", str(SEED)], check=True)
    content = yaml.safe_load((space.path / "config/my-model.yaml").read_text())
    content |= {
        "study": "branched",
        "backends": ["native", "few", "scheduled"],
        "pass_sets": {"few": PASSES, "scheduled": PASSES[:1]},
        "schedules": ["none", "rules"],
    }
    content["timing"] = {"repeats": 1}
    config = space.path / "branched.yaml"
    config.write_text(yaml.safe_dump(content))
    return space, config


def with_fault(branched, folder: Path, module: str, right: str, wrong: str):
    """A copy of the workspace with one wrong module, which no check stops."""
    space = branched[0].copy(folder / "space", studies=True)
    check = 'blame.check(compilation, Path(arguments["output"]), taken)'
    space.edit("scripts/deltann/stages/compile.py", check, "{}")
    space.edit(f"scripts/deltann/tvm/{module}", right, wrong)
    return space


def test_without_a_fault_nothing_is_blamed(branched):
    facts, text = explain(*branched, SCHEDULED)
    assert facts["minimal"] == [] and facts["kernel"] is None
    assert not facts["labels_differ"] and not facts["before_passes"]["differs"]
    assert facts["reproduced"]["same"]
    assert len(facts["images"]) == 1
    assert "No difference: the cell gives the native answers" in text
    assert "make no difference" in text


def test_a_wrong_pass_is_found(branched, tmp_path):
    """Branches that change places, as each is cut from the joined convolution."""
    space = with_fault(
        branched,
        tmp_path,
        "passes/combine_parallel_conv2d.py",
        "for branch in branches:\n                end",
        "for branch in reversed(branches):\n                end",
    )
    facts, text = explain(space, space.path / "branched.yaml", UNSCHEDULED)
    assert facts["labels_differ"] and facts["criterion"] == "labels"
    assert len(facts["images"]) == 4
    for row in facts["images"]:
        assert row["native"]["label"] == row["reference"]["label"] != row["cell"]["label"]
    assert facts["minimal"] == ["CombineParallelConv2D"]
    # the slices are the tensors that the branches should be: what reads them says which is whose
    assert facts["kernel"]["name"] == "concatenate"
    assert [name.split(" ")[0] for name in facts["kernel"]["rerouted"]] == [
        "strided_slice1",
        "strided_slice",
    ]
    assert "CombineParallelConv2D alone changes labels" in text
    assert "results/branched/config.json --force results/branched/explain/" in text
    # the commands on the page, pasted
    (space.path / ".venv").symlink_to(ROOT / ".venv")
    pasted = facts["reproduce"].replace("bin/snakemake", "bin/snakemake --dry-run")
    command = ["sh", "-e", "-c", pasted]
    done = subprocess.run(command, cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    again, suspects = done.stdout.split("Job stats:")[1::2]
    assert "explain" in again and "infer" not in again
    assert "results/branched-suspect/study.nc" in suspects
    assert "def concatenate(" in text


def test_a_wrong_import_is_the_stage(branched, tmp_path):
    """An importer that takes a constant for another one."""
    right = "from_onnx(onnx.load(model_file), keep_params_in_input=False)"
    wrong = """model = onnx.load(model_file)
    weight = next(item for item in model.graph.initializer if len(item.dims) == 4)
    values = 2 * onnx.numpy_helper.to_array(weight)[::-1]
    weight.CopyFrom(onnx.numpy_helper.from_array(values.copy(), weight.name))
    module = from_onnx(model, keep_params_in_input=False)"""
    space = with_fault(branched, tmp_path, "importers.py", f"module = {right}", wrong)
    facts, text = explain(space, space.path / "branched.yaml", UNSCHEDULED)
    assert facts["minimal"] == [] and facts["before_passes"]["differs"]
    assert [row["stage"] for row in facts["stages"] if row["differs"]] == ["import"]
    located = "TVM's import of the unconverted model changed `lv` (nn.conv2d): "
    assert facts["verdict"][0].startswith(located) and "weight" in facts["verdict"][0]
    assert "before any pass" in text
    # the script imports by TVM itself, without the planted fault
    example = facts["example"]
    assert "which prints the answers before and after TVM's import" in example
    assert "Run here, the script doesn't show it: both answers are the same" in example


def test_a_wrong_constant_of_a_pass_is_found(branched, tmp_path):
    """A pass that gives the channels of a batch norm each other's constants."""
    space = with_fault(
        branched,
        tmp_path,
        "passes/pack_layout/elementwise.py",
        "array.reshape(-1)\n",
        "array.reshape(-1)[::-1]\n",
    )
    config = space.path / "branched.yaml"
    content = yaml.safe_load(config.read_text())
    # without FoldConstant, the constants are none yet when the pass looks at them
    content["pass_sets"]["few"] = ["FuseOps", "FoldConstant", "PackLayout"]
    config.write_text(yaml.safe_dump(content))
    facts, text = explain(space, config, UNSCHEDULED)
    assert facts["minimal"] == ["FoldConstant", "PackLayout"]
    kernel = facts["kernel"]
    assert (kernel["name"], kernel["should_be"].split(" ")[0]) == ("subtract", "subtract")
    assert kernel["rerouted"] == []
    assert [item["written_by"].split(" ")[0] for item in kernel["inputs"]] == ["packed_conv2d", "a"]
    found = kernel["difference"]
    assert found["largest"] > 0.1
    assert 0 < found["differing"] <= found["elements"] == 16 * 32 * 32
    assert "FoldConstant and PackLayout" in text


def test_a_wrong_schedule_is_found(branched, tmp_path):
    """A matrix product whose sums the schedule keeps in half precision."""
    loops = "    n, outer, lane, k = work.get_loops(block)\n"
    space = with_fault(
        branched,
        tmp_path,
        "cpu/packed_schedules.py",
        loops,
        f'    work.unsafe_set_dtype(block, 0, "float16")\n{loops}',
    )
    facts, text = explain(space, space.path / "branched.yaml", SCHEDULED)
    assert facts["criterion"] == "logits"
    assert facts["minimal"] == ["schedule rules"]
    assert facts["compared_with"] == "the same graph, unscheduled"
    assert facts["kernel"]["name"] == facts["kernel"]["should_be"].split(" ")[0] == "packed_dense"
    assert "float16" not in facts["kernel"]["script"]
    assert "float16" in facts["kernel"]["scheduled_script"]
    assert "the schedule is the cause" in text
    alone = {tuple(row["switches"]): row["fails"] for row in facts["sets"]}
    assert alone[("PackOperators",)] is False and alone[("schedule rules",)] is True


def test_a_native_cell_is_refused(branched):
    space, config = branched
    done = space.snakemake(config, targets=(page_of(NATIVE),))
    assert done.returncode != 0
    assert "the native cell that others are compared with" in done.stdout
    other = SCHEDULED.replace("/scheduled/", "/O4/")
    done = space.snakemake(config, targets=(page_of(other),))
    assert done.returncode != 0
    assert f"{other} is not a cell of this study" in done.stdout


def test_all_makes_no_page(branched):
    space, config = branched
    assert "explain" not in space.jobs(config)
