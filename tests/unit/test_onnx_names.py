"""Messages name tensors and nodes as the model's file does, whatever they were renamed to."""

from types import SimpleNamespace

import pytest

from deltann.formats import onnx_names
from deltann.ours import Fault, ours


def graph(**lists: list) -> SimpleNamespace:
    """What is read of an `onnx.GraphProto`."""
    return SimpleNamespace(
        **{"input": [], "output": [], "initializer": [], "value_info": []} | lists
    )


def item(name: str) -> SimpleNamespace:
    return SimpleNamespace(name=name)


def node(name: str, op_type: str, reads: list[str], makes: list[str], *inner) -> SimpleNamespace:
    attributes = [SimpleNamespace(HasField=lambda field: True, g=each, graphs=[]) for each in inner]
    return SimpleNamespace(
        name=name, op_type=op_type, input=reads, output=makes, attribute=attributes
    )


def model() -> SimpleNamespace:
    branch = graph(
        node=[node("", "Relu", ["a;b"], ["in/the/branch"])], output=[item("in/the/branch")]
    )
    nodes = [
        node("first/Conv", "Conv", ["image", "weight"], ["a;b"]),
        node("", "If", ["a;b"], ["logits"], branch),
    ]
    return graph(node=nodes, input=[item("image")], output=[item("logits")])


def message(names: dict[str, str], *arguments: object) -> str:
    with pytest.raises(ValueError) as raised, onnx_names.naming(names):
        raise ValueError(*arguments)
    return str(raised.value)


def test_a_message_names_tensors_as_the_file_does():
    numbered = model()
    names = onnx_names.number_tensors(numbered)
    assert sorted(names.values()) == ["a;b", "image", "in/the/branch", "logits", "weight"]
    assert numbered.output[0].name in names
    by_name = {old: new for new, old in names.items()}
    new = by_name["a;b"]
    assert message(names, f"shape of {new} is 3") == "shape of a;b is 3"
    assert message(names, f"layer 'LAYER_{new}_CHW'") == "layer 'LAYER_a;b_CHW'"
    assert message(names, f"{by_name['in/the/branch']}:0") == "in/the/branch:0"
    for other in ("tensor_99", f"my{new}", f"{new}0", "a tensor_ of node"):
        assert message(names, other) == other
    assert message(names, 3, new) == str((3, "a;b"))


def test_a_message_names_nodes_as_the_file_does():
    names = onnx_names.number_nodes(model())
    assert names == {
        "node_0": "first/Conv",
        "node_1": "If of logits",
        "node_1_0_0": "Relu of in/the/branch",
    }
    assert message(names, "in node_1_0_0, of node_1, after node_0") == (
        "in Relu of in/the/branch, of If of logits, after first/Conv"
    )


def test_a_fault_of_ours_stays_one():
    with (
        pytest.raises(Fault, match="tracing failed: KeyError: 'logits'"),
        onnx_names.naming({"tensor_1": "logits"}),
        ours("tracing"),
    ):
        raise KeyError("tensor_1")
