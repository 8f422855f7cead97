"""Planted faults found again: a wrong pass, a wrong schedule, and none."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deltann.explain import ddmin, formatting, page, script, search
from deltann.explain.attempts import Attempt
from deltann.explain.dataflow import INPUT, Step, culprit
from deltann.explain.tensors import Index, difference
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
    content["timing"]["repeats"] = 1
    config = space.path / "branched.yaml"
    config.write_text(yaml.safe_dump(content))
    return space, config


def test_without_a_fault_nothing_is_blamed(branched):
    facts, text = explain(*branched, SCHEDULED)
    assert facts["minimal"] == [] and facts["kernel"] is None
    assert not facts["labels_differ"] and not facts["before_passes"]["differs"]
    assert facts["reproduced"]["same"]
    assert len(facts["images"]) == 1
    assert "No label differs" in text and "make no difference" in text


def test_a_wrong_pass_is_found(branched, tmp_path):
    """Branches that change places, as each is cut from the joined convolution."""
    space = branched[0].copy(tmp_path / "space")
    space.edit(
        "scripts/deltann/tvm/passes/combine_parallel_conv2d.py",
        "for branch in branches:\n                end",
        "for branch in reversed(branches):\n                end",
    )
    facts, text = explain(space, space.path / "branched.yaml", UNSCHEDULED)
    assert facts["labels_differ"] and facts["criterion"] == "labels"
    assert len(facts["images"]) == 4
    for row in facts["images"]:
        assert row["native"]["label"] == row["reference"]["label"] != row["compiled"]["label"]
    assert facts["minimal"] == ["CombineParallelConv2D"]
    # the slices are the tensors that the branches should be: what reads them says which is whose
    assert facts["kernel"]["name"] == "concatenate"
    assert [name.split(" ")[0] for name in facts["kernel"]["rerouted"]] == [
        "strided_slice1",
        "strided_slice",
    ]
    assert "CombineParallelConv2D alone changes labels" in text
    assert "def concatenate(" in text


def test_a_wrong_constant_of_a_pass_is_found(branched, tmp_path):
    """A pass that gives the channels of a batch norm each other's constants."""
    space = branched[0].copy(tmp_path / "space")
    space.edit(
        "scripts/deltann/tvm/passes/pack_layout.py",
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
    space = branched[0].copy(tmp_path / "space")
    loops = "    n, outer, lane, k = work.get_loops(block)\n"
    space.edit(
        "scripts/deltann/tvm/cpu/packed_schedules.py",
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


def test_a_cell_without_passes_is_refused(branched):
    space, config = branched
    done = space.snakemake(config, targets=(page_of(NATIVE),))
    assert done.returncode != 0
    assert "run by its framework's own runtime" in done.stdout
    other = SCHEDULED.replace("/scheduled/", "/O4/")
    done = space.snakemake(config, targets=(page_of(other),))
    assert done.returncode != 0
    assert f"{other} is not a cell of this study" in done.stdout


def test_all_makes_no_page(branched):
    space, config = branched
    assert "explain" not in space.jobs(config)


ITEMS = st.integers(1, 12).map(lambda count: [f"pass{number}" for number in range(count)])


@st.composite
def monotone(draw) -> tuple[list[str], list[frozenset[str]]]:
    """Items, and sets of them: a part fails if it contains one of these."""
    items = draw(ITEMS)
    part = st.frozensets(st.sampled_from(items), min_size=1)
    return items, draw(st.lists(part, min_size=1, max_size=4))


@given(monotone())
def test_the_minimal_set_is_one_of_those_that_fail(case):
    items, causes = case

    def fails(part):
        return any(cause <= set(part) for cause in causes)

    found = ddmin.minimal(items, fails)
    assert frozenset(found) in causes
    assert list(found) == [item for item in items if item in found]
    assert not any(fails([other for other in found if other != item]) for item in found)


@given(ITEMS, st.randoms(use_true_random=False))
def test_the_set_is_1_minimal_whatever_fails(items, random):
    known = {(): False, tuple(items): True}

    def fails(part):
        return known.setdefault(tuple(part), random.random() < 0.4)

    found = ddmin.minimal(items, fails)
    assert fails(found)
    assert not any(fails([other for other in found if other != item]) for item in found)


def test_a_cause_is_found_in_few_steps():
    asked = []

    def fails(part):
        asked.append(part)
        return "pass9" in part

    assert ddmin.minimal([f"pass{number}" for number in range(64)], fails) == ("pass9",)
    assert len(asked) <= 2 * 6


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Step((INPUT,), True), Step((0,), True)], None),
        ([Step((INPUT,), True), Step((0,), False), Step((1,), False)], 1),
        # folded batch norms: a tensor that the reference doesn't have, and what follows is right
        ([Step((INPUT,), False), Step((0,), True), Step((1,), False)], 2),
        # one of two branches is wrong, and so is what joins them
        ([Step((INPUT,), True), Step((0,), True), Step((0,), False), Step((1, 2), False)], 2),
        # a joined convolution, of which one slice is wrong
        ([Step((INPUT,), False), Step((0,), True), Step((0,), False), Step((1, 2), False)], 2),
        # weights are packed at run time: no tensor of the reference, and no culprit
        ([Step((), False), Step((INPUT, 0), False), Step((1,), False)], 1),
        ([Step((), False), Step((INPUT, 0), True)], None),
    ],
)
def test_the_culprit_is_lost_while_its_inputs_are_not(steps, expected):
    assert culprit(steps) == expected


@st.composite
def graphs(draw) -> tuple[list[list[int]], int, set[int]]:
    """Who reads whom, a kernel that is wrong, and kernels whose tensors are of their own."""
    count = draw(st.integers(2, 12))
    read = [[INPUT]]
    for number in range(1, count):
        read.append(draw(st.lists(st.integers(-1, number - 1), min_size=1, max_size=3)))
    return read, draw(st.integers(0, count - 1)), draw(st.sets(st.integers(0, count - 1)))


@settings(max_examples=200)
@given(graphs())
def test_one_wrong_kernel_is_found_behind_tensors_of_their_own(case):
    """Where what is wrong spreads to all that depends on it, and some tensors match nothing."""
    read, wrong, own = case
    bad = {wrong}
    for number, inputs in enumerate(read):
        if bad & set(inputs):
            bad.add(number)
    steps = [
        Step(tuple(inputs), number not in bad and number not in own)
        for number, inputs in enumerate(read)
    ]
    found = culprit(steps)
    assert found is not None
    # a tensor of its own right before the wrong one, that nothing else reads, can't be told right
    assert found == wrong or found in own


@given(st.integers(1, 20), st.integers(1, 4), st.sampled_from([4, 8, 16]))
def test_packed_tensors_are_known_again(channels, side, lanes):
    generator = np.random.default_rng(channels)
    plain = generator.standard_normal((1, channels, side, side + 1)).astype(np.float32)
    blocks = -(-channels // lanes)
    room = np.full((1, blocks * lanes, side, side + 1), 0.5, np.float32)  # sigmoid of padding
    room[:, :channels] = plain
    packed = room.reshape(1, blocks, lanes, side, side + 1).transpose(0, 1, 3, 4, 2)
    index = Index([np.zeros(3, np.float32), plain])
    assert index.find(packed) == 1
    assert index.find(plain.transpose(0, 2, 3, 1)) == 1
    assert index.find(plain.ravel() * np.float32(1 + 1e-6)) == 1
    assert index.find(packed + 1) is None


def test_channels_in_another_order_are_another_tensor():
    plain = np.arange(24, dtype=np.float32).reshape(1, 6, 2, 2)
    index = Index([plain])
    assert index.find(plain[:, ::-1]) is None
    number, found = index.nearest(plain + np.float32(9), set(), set())
    assert (number, found.largest, found.differing, found.elements) == (0, 9, 24, 24)


def test_what_is_not_finite_differs():
    found = difference(np.ones(2), np.array([1, np.nan]))
    assert found.matters and found.differing == 1


class Fake:
    """Attempts whose logits are known; `bad` switches add to the first logit."""

    def __init__(self, native: np.ndarray, offset: float, bad: str) -> None:
        self.native, self.offset, self.bad = native, offset, bad

    def attempt(self, switches, schedule=None) -> Attempt:
        logits = self.native + np.float32(self.offset)
        if "broken" in switches and self.bad not in switches:
            return Attempt(Path("nowhere"), None, "ValueError: <no kernel>")
        return Attempt(Path("nowhere"), logits, "")

    needed = attempt


def test_a_difference_before_any_pass_is_told_apart():
    native = np.float32([[1, 5, 2], [3, 1, 2]])
    case = search.Case(("FuseOps", "PackLayout"), ("<a>.jpg", "b.jpg"), native, native + 1)
    facts = search.search(case, Fake(native, 1.0, ""))
    facts |= {"same_inputs": False}
    assert facts["before_passes"]["differs"] and facts["minimal"] == []
    lines = formatting.sentences(facts)
    assert any("before any pass" in line and "prepared differently" in line for line in lines)
    facts |= {"cell": "c", "native": "n", "verdict": lines, "reproduce": "<b>"}
    text = page.page(facts)
    assert "&lt;a&gt;.jpg" in text and "<a>.jpg" not in text and "&lt;b&gt;" in text


def test_images_whose_labels_differ_come_first():
    native = np.float32([[0, 5], [5, 0], [5, 4.9], [9, 0]])
    compiled = np.float32([[0, 4], [4, 0], [4.9, 5], [2, 1]])
    assert search.chosen(native, compiled).tolist() == [2]
    assert search.chosen(native[[0, 3]], compiled[[0, 3]]).tolist() == [1]


def test_one_function_of_a_module():
    text = "class Module:\n    def one(\n        x):\n        pass\n\n    @T\n    def one1():\n"
    text += "".join(f"        line{number}\n" for number in range(100))
    assert script.function(text, "one") == "def one(\n    x):\n    pass"
    long = script.function(text, "one1").splitlines()
    assert len(long) == script.LINES + 1 and "more lines" in long[-1]
    assert script.function(text, "two") is None
