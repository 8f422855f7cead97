"""The planted-fault benchmark: faults in earlier conversions, and wrong compiler passes."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from deltann.images.normalise import normalise
from deltann.images.preprocessing import Preprocessing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "faults")
    return importlib.import_module


def test_a_changed_file_is_converted_on_by_conversions_that_start_from_it(module):
    plant, conversions = module("plant"), module("conversions").CONVERSIONS
    chains = [[first, *then] for item in plant.HOPS.values() for first, then in item.then.items()]
    assert {len(chain) for chain in chains} == {2, 3}
    for before, after in [pair for chain in chains for pair in zip(chain, chain[1:], strict=False)]:
        assert conversions[after].source == before


def test_pixels_are_those_that_were_normalised(module):
    walked = module("walked")
    right = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)
    convention = Preprocessing(**walked.PREPROCESSING)
    given = np.concatenate([normalise(image, convention, "NCHW") for image in right])
    assert np.array_equal(walked.pixels(given), right)


def edges(module, *differs: bool) -> dict:
    """What is said of a walk over edges `b`, `c`, … that change answers or don't."""
    names = "abcd"[: len(differs) + 1]
    walked = module("walked")
    chain = [walked.Artefact(name, "", {}, "onnx", Path(name), "", None) for name in names]
    rows = [
        {"stage": "conversion", "name": name, "differs": differ, "why": "", "localisation": 0}
        for name, differ in zip(names[1:], differs, strict=True)
    ]
    fault = {"verdict": "located", "ranked": ["conv"], "differences": [{"family": "layout"}]}
    located = {"outcome": "found", "why": "", "faults": [fault]}
    return walked.described(chain, rows, [located] * sum(differs))


def test_the_first_edge_that_changes_answers_is_blamed_and_later_ones_are_noted(module):
    said = edges(module, False, True, False)
    assert (said["stage"], said["later"], said["families"]) == (2, [], ["layout"])
    assert edges(module, True, False, True)["later"] == ["d"]
    assert edges(module, False, False)["outcome"] == "same"


KERNEL = """
    for n, f, c, k in T.grid(T.int64(1), T.int64(4), T.int64(8), T.int64(3)):
        with T.sblock("conv"):
            v_n, v_f, v_c, v_k = T.axis.remap("SSRR", [n, f, c, k])
            T.reads(x[v_n, v_c, v_k], w[v_f, v_c, v_k])
            with T.init():
                y[v_n, v_f] = T.float32(0.0)
            y[v_n, v_f] = y[v_n, v_f] + x[v_n, v_c, v_k] * w[v_f, v_c, v_k]
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bound_short", "T.int64(8), T.int64(2)):"),
        ("initial_value", "y[v_n, v_f] = T.float32(1.0)"),
        ("index_off", "w[v_f, v_c, T.max(v_k - T.int64(1), T.int64(0))]"),
    ],
)
def test_a_kernel_is_changed_in_one_place(module, name, expected):
    changed = module("tir_faults").changed(name, KERNEL)
    assert expected in changed
    assert "T.reads" not in changed and len(changed.splitlines()) == len(KERNEL.splitlines()) - 1


def test_kernels_that_only_read_a_changed_result_are_not_at_fault(module):
    kernels = module("kernels")
    right = [kernels.Kernel("conv", "1", ("x",)), kernels.Kernel("add", "2", ("1",))]
    right.append(kernels.Kernel("relu", "3", ("2",)))
    dropped = [right[0], kernels.Kernel("relu", "4", ("1",)), kernels.Kernel("relu", "5", ("4",))]
    assert kernels.changed_kernels(right, dropped) == [("relu", 0)]
    assert kernels.changed_kernels(right, right) == []


def passes_case(**line: object) -> dict:
    found = {"level": "pair", "setting": "s", "class": "label", "change": 1, "floor": 1e-5}
    found |= {"hosts": ["A", "B"], "minimal": ["A", "B"], "kernel": "k", "number": 2}
    return found | {"kernels": [["k", 2]], "single_pass": []} | line


def test_wrong_passes_are_scored_by_the_set_and_the_kernel(module):
    score = module("score_passes")
    lines = [
        passes_case(),
        passes_case(number=3, minimal=["B", "A"]),
        passes_case(minimal=["A"], single_pass=["A", "B"]),
        passes_case(**{"class": "equivalent"}),
        {"level": "right", "minimal": []},
        passes_case() | {"left_out": "no"},
    ]
    text = score.report([score.Case(line) for line in lines])
    (row,) = [line for line in text.splitlines() if line.startswith("| two passes")]
    cells = [cell.strip().split(":")[0] for cell in row.strip("|").split("|")]
    assert cells[1:9] == ["4", "1", "0", "3 of 3", "2 of 3", "2 of 3", "1 of 3", "1 of 3"]
    assert cells[9:11] == ["2", "1"]
    assert "| right | 0 of 1" in text and "| equivalent | 1 of 1" in text
