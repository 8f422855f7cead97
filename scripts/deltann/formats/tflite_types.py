"""The number types of a TFLite graph's input and output, with their scale and zero point."""

from typing import Any

from deltann.formats.tensor_types import TensorType
from deltann.ours import ours


def types(data: bytes) -> tuple[TensorType, TensorType]:
    """The types of the first input and the first output of a `.tflite` file's content."""
    import tflite

    graph = tflite.Model.GetRootAsModel(data, 0).Subgraphs(0)
    taken, given = graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))
    with ours("reading the types of a TFLite graph's input and output"):
        return _type(taken), _type(given)


def _type(tensor: Any) -> TensorType:
    import tflite

    numbers = vars(tflite.TensorType).items()
    names = {number: name.lower() for name, number in numbers if isinstance(number, int)}
    dtype, quantization = names[tensor.Type()], tensor.Quantization()
    if quantization is None or quantization.ScaleLength() != 1:
        return TensorType(dtype)
    zero_point = quantization.ZeroPoint(0) if quantization.ZeroPointLength() else 0
    return TensorType(dtype, float(quantization.Scale(0)), int(zero_point))
