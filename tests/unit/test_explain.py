"""The search for the smallest set of passes that fails, and for the kernel to blame."""

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deltann.explain import (
    SCHEDULE,
    answer,
    compared,
    ddmin,
    formatting,
    page,
    reproduce,
    script,
    search,
)
from deltann.explain.attempts import Attempt
from deltann.explain.dataflow import INPUT, Step, culprit
from deltann.explain.stages import Stage
from deltann.explain.tensors import Index, difference

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
        # a gate hides the difference, but not what it multiplies
        (
            [
                Step((INPUT,), True),
                Step((0,), False),
                Step((1,), False),
                Step((2,), True),
                Step((1, 3), False),
            ],
            1,
        ),
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
    # a tensor of its own that only wrong kernels read can't be told from a wrong one
    readers = [step for step in steps if found in step.inputs]
    assert found == wrong or (found in own and not any(step.matches for step in readers))


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


def row(stage: Stage, name: str, difference: float, **more) -> dict:
    """A row of the page's stages."""
    effect = {"difference": difference, "labels_changed": 1, "images": 2}
    return {"stage": stage, "name": name, "why": ""} | effect | {"differs": difference > 0} | more


def test_a_difference_before_any_pass_is_told_apart():
    native = np.float32([[1, 5, 2], [3, 1, 2]])
    case = search.Case(("FuseOps", "PackLayout"), ("<a>.jpg", "b.jpg"), native, native + 1)
    facts, reference = search.search(case, Fake(native, 1.0, ""))
    assert facts["before_passes"]["differs"] and facts["minimal"] == []
    np.testing.assert_array_equal(reference, native + 1)
    facts |= {
        "difference": compared.compare(native, native + 1),
        "stages": [
            row(Stage.IMAGES, "images", 0.1, why="mean: 0, not 1", alone=False),
            row(Stage.IMPORT, "the onnx file", 0.2),
        ],
        "localisations": [],
        "losses": [],
        "chain": [{"edge": "", "framework": "onnx", "precision": "1 float32", "file": "<f>"}],
        "class_names": ["cat", "<dog>"],
        "cell": "a/path",
        "cell_name": "onnx by <x>, TVM O0",
        "native": "another/path",
        "native_name": "torch, own runtime",
        "reproduce": "<b>",
        "example": "nothing",
    }
    facts["verdict"] = answer.sentences(facts) + formatting.sentences(facts)
    assert facts["verdict"][0].startswith("TVM's import of the onnx file changes 1 of 2 labels")
    assert "before any pass" in facts["verdict"][0]
    assert "prepared in another way (mean: 0, not 1)" in facts["verdict"][1]
    text = page.page(facts)
    assert "&lt;a&gt;.jpg" in text and "<a>.jpg" not in text and "&lt;b&gt;" in text
    assert "<td>&lt;dog&gt;</td>" in text and "<td>cat</td>" in text
    assert "<h1>Where onnx by &lt;x&gt;, TVM O0 leaves its native model</h1>" in text
    assert "<code>a/path</code>" in text


def test_the_commands_on_the_page_are_of_this_study_and_can_be_pasted(tmp_path):
    config, page = Path("results/explain/config.json"), Path("results/explain/explain/it's/O4.html")
    again = f".venv/bin/snakemake --cores all --configfile {config} --force"
    text = reproduce.commands(config, page, "rules", [])
    assert [shlex.split(line) for line in text.splitlines()[1:]] == [[*again.split(), str(page)]]
    text = reproduce.commands(config, page, "rules", ["FuseOps", f"{SCHEDULE}rules"])
    for folder in (".venv/bin", "config"):
        (tmp_path / folder).mkdir(parents=True)
    program = tmp_path / ".venv/bin/snakemake"
    program.write_text("#!/bin/sh\nprintf '%s|' \"$@\" >> ran\necho >> ran\n")
    program.chmod(0o755)
    subprocess.run(["sh", "-e", "-c", text], cwd=tmp_path, check=True)
    ran = [line.split("|")[:-1] for line in (tmp_path / "ran").read_text().splitlines()]
    assert ran[0] == [*again.split()[1:], str(page)]
    assert ran[1][3:] == [str(config), "config/explain-suspect.yaml"]
    changes = yaml.safe_load((tmp_path / "config/explain-suspect.yaml").read_text())
    assert changes["study"] == "explain-suspect"
    assert changes["pass_sets"] == {"suspect": ["FuseOps"], "reference": []}
    assert changes["schedules"] == ["none", "rules"]


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
