"""The planted-fault benchmark: where faults are planted, and what is true of them."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from deltann.edits import Bypass, Insert, SetAttribute, SetParameter
from deltann.steps import Operator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "faults")
    return importlib.import_module


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def operators() -> list[Operator]:
    """A convolution at stride 2, a batch norm, a ReLU, flattened into a dense layer."""
    window = {"strides": [2, 2], "dilations": [1, 1], "groups": 1, "pads": [1, 1, 1, 1]}
    norm = {name: numbers(4) for name in ("scale", "shift", "mean")}
    norm["variance"] = np.float32([0.5, 1, 2, 3])
    return [
        Operator(
            "c", "Conv", "convolution", ("x",), ("a",), window, {"weight": numbers(4, 3, 3, 3)}
        ),
        Operator("n", "BN", "batch_norm", ("a",), ("b",), {"epsilon": 1e-5}, norm),
        Operator("r", "Relu", "clip", ("b",), ("d",), {"min": 0, "max": None}),
        Operator("f", "Reshape", "reshape", ("d",), ("e",), {"shape": [1, 24]}),
        Operator("g", "Gemm", "dense", ("e",), ("y",), {}, {"weight": numbers(5, 24)}),
    ]


def graph(mutations: ModuleType):
    shapes = {"x": (1, 3, 4, 6), **dict.fromkeys("abd", (1, 4, 2, 3)), "e": (1, 24), "y": (1, 5)}
    return mutations.Graph(operators(), "x", "y", shapes, "NCHW")


def found(module, family: str, name: str) -> list:
    mutations = module("mutations")
    return list(mutations.of_family(family)[name](graph(mutations)))


def test_there_are_forty_operators_of_mutation_and_twelve_benign_changes(module):
    mutations = module("mutations")
    counts = [len(mutations.of_family(family)) for family in mutations.FAMILIES]
    assert counts == [5, 6, 6, 11, 6, 6] and sum(counts) == 40
    benign = [name for name, (family, _) in mutations.everything().items() if family == "benign"]
    assert len(benign) >= 12


def test_each_mutation_names_operators_of_the_file(module):
    mutations = module("mutations")
    names = {item.name for item in operators()}
    for name, (_, finder) in mutations.everything().items():
        for mutation in finder(graph(mutations)):
            assert {*mutation.operators} <= names, name


def test_a_flattened_image_is_read_in_the_other_layouts_order(module):
    (mutation,) = found(module, "layout", "flatten_order")
    (edit,) = mutation.edits
    image, right = numbers(4, 2, 3), operators()[-1].parameters["weight"]
    assert edit.operator == "g"
    expected = right @ image.ravel()
    assert np.allclose(edit.value @ image.transpose(1, 2, 0).ravel(), expected, atol=1e-5)
    assert not np.allclose(edit.value @ image.ravel(), expected, atol=1e-5)


def test_sames_padding_at_stride_2_keeps_the_size(module):
    (mutation,) = found(module, "attributes", "symmetric_stride_2")
    assert mutation.edits == (SetAttribute("c", "pads", [0, 0, 1, 1]),)
    assert mutation.right == [1, 1, 1, 1]


def test_a_norm_folded_rightly_is_the_norm(module):
    parameters = module("mutations.parameters_faults")
    before, norm = operators()[:2]
    weight, bias = parameters.folded(before, norm, 1e-5)
    patch = numbers(3, 3, 3)
    raw = (before.parameters["weight"] * patch).sum((1, 2, 3))
    scale, shift, mean, variance = (
        norm.parameters[name] for name in ("scale", "shift", "mean", "variance")
    )
    expected = (raw - mean) / np.sqrt(variance + 1e-5) * scale + shift
    assert np.allclose((weight * patch).sum((1, 2, 3)) + bias, expected, atol=1e-5)


def test_folding_without_epsilon_takes_the_norm_out(module):
    (mutation,) = found(module, "parameters", "folded_without_epsilon")
    kinds = [type(edit) for edit in mutation.edits]
    assert kinds == [SetParameter, SetParameter, Bypass]
    assert mutation.operators == ("c",)


def test_depth_is_the_third_of_the_file(module):
    mutations = module("mutations")
    made = [mutations.Mutation((), (name,), "") for name in "cfg"]
    assert [graph(mutations).depth(item) for item in made] == ["first", "middle", "last"]


LOGITS = np.float64([[3, 1, 0], [0, 2, 1.9]])


@pytest.mark.parametrize(
    ("change", "own", "expected"),
    [
        ([[0, 0, 0], [0, 0, 0.2]], 0.1, "label"),
        ([[0, 0.5, 0], [0, 0, 0]], 0.1, "tensor"),
        ([[0, 0, 0], [0, 0, 0]], 0.1, "tensor"),
        ([[0, 1e-6, 0], [0, 0, 0]], 0.0, "equivalent"),
    ],
)
def test_a_faults_class(module, change, own, expected):
    cases = module("cases")
    exact = LOGITS + 1e-7
    assert cases.classify(exact, LOGITS, LOGITS + change, own)["class"] == expected


def test_an_answer_of_another_size_is_a_change(module):
    cases = module("cases")
    assert cases.classify(LOGITS, LOGITS, LOGITS[:, :2], 0.0)["class"] == "tensor"


def test_operators_are_found_again_though_all_are_renumbered(module):
    cases = module("cases")
    before = operators()
    inserted = Operator("", "Mul", "multiply", ("a",), ("a2",))
    kept = [*before[:1], inserted, *before[1:]]
    after = [
        Operator(str(place), item.native, item.kind, (), (), item.attributes, item.parameters)
        for place, item in enumerate(kept)
    ]
    assert cases.matched(before, after) == {"c": "0", "n": "2", "r": "3", "f": "4", "g": "5"}
    del after[3]
    assert cases.matched(before, after)["g"] == "5"
    del after[1]
    assert cases.matched(before, after) == {"c": "0", "n": "2", "f": "4", "g": "5"}


def test_an_operator_that_was_changed_is_found_again(module):
    cases = module("cases")
    before = operators()
    padded = {**before[0].attributes, "pads": [0, 0, 0, 0]}
    pad = Operator("p", "Pad", "pad", ("x",), ("q",))
    conv = Operator("c", "Conv", "convolution", ("q",), ("a",), padded, before[0].parameters)
    assert cases.matched(before, [pad, conv, *before[1:]]) == {name: name for name in "cnrfg"}


def test_of_an_operator_taken_out_the_neighbours_are_the_answer(module):
    places, mutations = module("places"), module("mutations")
    file = places.Loaded("m", "v", Path("m.onnx"), graph(mutations), LOGITS, LOGITS)
    mutation = mutations.Mutation((Bypass("r"),), ("r",), "kind")
    place = places.Place("dropped", "graph", file, 0, mutation)
    same = {name: name for name in "cnfg"}
    scrambled = {name: f"{name}1" for name in "cnfg"}
    truth = places.truth_of(place, same, scrambled, [], True)
    assert truth["operators"] == [] and truth["around"] == ["n1", "f1", "g1"]
    assert truth["depth"] == "middle"


def test_an_inserted_operator_is_the_answer(module):
    places, mutations = module("places"), module("mutations")
    file = places.Loaded("m", "v", Path("m.onnx"), graph(mutations), LOGITS, LOGITS)
    mutation = mutations.Mutation((Insert("d", "tanh"),), ("r",), "kind")
    same = {name: name for name in "cnrfg"}
    place = places.Place("twice", "graph", file, 0, mutation)
    truth = places.truth_of(place, same, same, ["new"], True)
    assert truth["operators"] == ["new", "r"]


def test_what_was_left_out_is_remembered(module, tmp_path):
    cases = module("cases")
    kept = cases.LeftOut(tmp_path / "left.json")
    kept.add("dilation", "one", ValueError("no"))
    kept.add("dilation", "two", ValueError("no"))
    kept.remove("one")
    again = cases.LeftOut(tmp_path / "left.json")
    assert "one" not in again and "two" in again


def test_no_network_is_in_both_parts(module):
    plant = module("plant")
    assert not {*plant.PARTS["development"]} & {*plant.PARTS["held-out"]}
    assert len(plant.PARTS["development"]) == len(plant.PARTS["held-out"]) == 5


def test_a_conversion_is_made_with_all_that_it_starts_from(module):
    plant = module("plant")
    assert plant.needed({"tflite"}) == {"tflite", "onnx2tf", "dynamo18"}
