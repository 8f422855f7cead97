"""The number types of an ONNX graph's input and output; of whole numbers with their scale.

ONNX has no place for a scale and a zero point beside an input. If a graph takes whole numbers and
all that it does with them is to dequantize them, those of its DequantizeLinear are the input's, and
likewise for an output and QuantizeLinear.
"""

from typing import Any

from deltann.formats.tensor_types import TensorType, whole
from deltann.ours import ours

# Operators that move numbers and don't compute.
MOVES = ("Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze")


def input_type(graph: Any) -> TensorType:
    """The type of the first input of an `onnx.GraphProto`."""
    with ours("reading the type of an ONNX graph's input"):
        declared = graph.input[0]
        dtype = _dtype(declared)
        if not whole(dtype):
            return TensorType(dtype)
        found = {_quantization(graph, node) for node in _readers(graph, declared.name)}
        return TensorType(dtype, *(found.pop() or ()) if len(found) == 1 else ())


def output_type(graph: Any) -> TensorType:
    """The type of the first output of an `onnx.GraphProto`."""
    with ours("reading the type of an ONNX graph's output"):
        declared = graph.output[0]
        dtype = _dtype(declared)
        if not whole(dtype):
            return TensorType(dtype)
        makers = {name: node for node in graph.node for name in node.output}
        node = makers.get(declared.name)
        while node is not None and node.op_type in MOVES:
            node = makers.get(node.input[0])
        return TensorType(dtype, *(node and _quantization(graph, node) or ()))


def _dtype(value: Any) -> str:
    from onnx.helper import tensor_dtype_to_np_dtype

    return tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name


def _readers(graph: Any, name: str) -> list[Any]:
    """The nodes that read a tensor, behind those that only move its numbers."""
    readers = []
    for node in graph.node:
        if name in node.input:
            moved = node.op_type in MOVES and node.input[0] == name
            readers += _readers(graph, node.output[0]) if moved else [node]
    return readers


def _quantization(graph: Any, node: Any) -> tuple[float, int] | None:
    """Scale and zero point of a (De)QuantizeLinear; None if it has more, or is another operator."""
    if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
        return None
    from onnx import numpy_helper

    values = {item.name: item for item in graph.initializer}
    values |= {
        item.output[0]: attribute.t
        for item in graph.node
        if item.op_type == "Constant"
        for attribute in item.attribute
        if attribute.name == "value"
    }
    numbers = [numpy_helper.to_array(values[name]) for name in node.input[1:] if name in values]
    if len(numbers) != len(node.input) - 1 or any(item.size != 1 for item in numbers):
        return None
    scale, *zero_point = (item.item() for item in numbers)
    return float(scale), int(zero_point[0]) if zero_point else 0
