"""The precision of an OpenVINO model's operators, on graphs that stand for OpenVINO's."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from deltann.formats import openvino_ir
from deltann.formats.precisions import openvino as openvino_precision


@dataclass(frozen=True)
class Type:
    """Stands for `openvino.Type`."""

    name: str

    @property
    def bitwidth(self) -> int:
        return int(self.name.lstrip("bfiu"))

    def get_type_name(self) -> str:
        return self.name


@dataclass(eq=False)
class Node:
    """Stands for `openvino.Node` and its one `openvino.Output`."""

    kind: str
    type: str = "f32"
    inputs: list["Node"] = field(default_factory=list)
    data: np.ndarray | None = None
    levels: int = 256

    def get_type_name(self) -> str:
        return self.kind

    def get_friendly_name(self) -> str:
        return str(id(self))

    def get_element_type(self) -> Type:
        return Type(self.type)

    def get_attributes(self) -> dict:
        return {"levels": self.levels}

    def get_data(self) -> np.ndarray | None:
        return self.data

    def get_node(self) -> "Node":
        return self

    def output(self, index: int) -> "Node":
        return self

    def input_value(self, index: int) -> "Node":
        return self.inputs[index]

    def input_values(self) -> list["Node"]:
        return self.inputs


def constant(kind: str, *numbers: float) -> Node:
    return Node("Constant", kind, [], np.array(numbers or (1,)))


def scaled(node: Node) -> Node:
    """Numbers of another type, made float32 and scaled."""
    return Node("Multiply", "f32", [Node("Convert", "f32", [node]), constant("f32")])


def quantized(levels: int = 256) -> Node:
    limits = [constant("f32") for _ in range(4)]
    return Node("FakeQuantize", "f32", [Node("Relu", "f32", [IMAGE]), *limits], levels=levels)


def rounded_at_run_time() -> Node:
    """What becomes of ONNX's DynamicQuantizeLinear, in front of ConvInteger."""
    image = Node("Relu", "f32", [IMAGE])
    scale = Node("ReduceMax", "f32", [image])
    number = Node("Round", "f32", [Node("Divide", "f32", [image, scale])])
    bits = Node("Convert", "u8", [Node("Clamp", "f32", [number])])
    return Node("Subtract", "i32", [Node("Convert", "i32", [bits]), constant("i32")])


IMAGE = Node("Parameter", "f32")
RELU = Node("Relu", "f32", [IMAGE])
PIXELS = scaled(Node("Parameter", "u8"))
BYTES = scaled(constant("i8"))


@pytest.mark.parametrize(
    ("activations", "weights", "expected"),
    [
        (RELU, constant("f32"), "float32"),
        (RELU, Node("Convert", "f32", [constant("f16")]), "float16-weights"),
        (Node("Relu", "f16", [IMAGE]), constant("f16"), "float16"),
        (Node("Convert", "bf16", [RELU]), constant("bf16"), "bfloat16"),
        (RELU, BYTES, "int8-weights"),
        (BYTES, RELU, "int8-weights"),
        (quantized(), BYTES, "int8"),
        (Node("Transpose", "f32", [quantized()]), Node("Reshape", "f32", [BYTES]), "int8"),
        (quantized(1 << 16), BYTES, "int16x8"),
        (quantized(), constant("f32"), "other"),
        (PIXELS, constant("f32"), "float32"),
        (PIXELS, BYTES, "int8"),
        (rounded_at_run_time(), constant("i32", -127, 127), "int8-dynamic"),
        (rounded_at_run_time(), constant("i32", -40_000, 127), "other"),
    ],
)
def test_precision_of_an_operator(activations, weights, expected):
    assert openvino_precision.precision(Node("MatMul", "f32", [activations, weights])) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("f32", "float32"), ("bf16", "bfloat16"), ("u8", "uint8"), ("i64", "int64"), ("nf4", "nf4")],
)
def test_type_names(name, expected):
    assert openvino_ir.dtype(Node("Relu", name)) == expected
