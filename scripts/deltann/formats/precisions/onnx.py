"""The precision of each convolution and matrix product in an ONNX graph.

It also reads graphs that ONNX Runtime has optimized, with operators of its own domains.
"""

import mmap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deltann.formats.onnx_external_data import INSIDE, fields
from deltann.ours import ours
from deltann.precision import BFLOAT16, BYTES, FLOAT16, FLOAT32, REAL, of_operator

# Convolutions and matrix products, with the places of the two inputs that are multiplied. ONNX
# Runtime's fused operators have the same names in all its domains.
MULTIPLY = {
    **dict.fromkeys(("Conv", "ConvTranspose", "ConvInteger", "FusedConv", "NhwcFusedConv"), (0, 1)),
    **dict.fromkeys(("Gemm", "FusedGemm", "MatMul", "FusedMatMul", "MatMulInteger"), (0, 1)),
    **dict.fromkeys(("MatMulIntegerToFloat", "DynamicQuantizeMatMul", "Einsum"), (0, 1)),
    **dict.fromkeys(("Attention", "MultiHeadAttention"), (0, 1)),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QGemm"), (0, 3)),
}
# It takes float32 activations, and rounds them itself.
ROUNDS = "DynamicQuantizeMatMul"
# Operators whose output has only numbers of their first input, and constants.
MOVES = {
    *("Identity", "Dropout", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand"),
    *("Pad", "Slice", "Split", "Gather", "Tile", "DepthToSpace", "SpaceToDepth", "MaxPool"),
    *("ReorderInput", "ReorderOutput"),
}
UNKNOWN = "unknown"
# Of onnx.proto: a tensor's field with its type, and the numbers of types.
DATA_TYPE, HALF = 2, {10: FLOAT16, 16: BFLOAT16}


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor.

    Attributes:
        dtype: its type, as NumPy names it.
        rounded: the type that its numbers are rounded to, of the types on their way.
        dynamic: whether that was with a scale that is found at run time.
        constant: the `onnx.TensorProto` whose numbers it has; None for others.
    """

    dtype: str = UNKNOWN
    rounded: str = UNKNOWN
    dynamic: bool = False
    constant: Any = None


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`."""
    import onnx

    return of_model(onnx.load(model_file))


def of_model(model: Any, folded: bool = False) -> dict[str, int]:
    """The number of convolutions and matrix products of each precision in an `onnx.ModelProto`.

    Args:
        model: with its weights if `folded`; of others only the types matter.
        folded: whether a runtime may have written weights, which were float16 or bfloat16 in the
            model's file, as float32. Such weights count as what all their numbers fit in.
    """
    import onnx

    with ours("reading the precision of an ONNX graph"):
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        return dict(Counter(_precisions(model.graph, {}, folded)))


def stores_half(model_file: Path) -> bool:
    """Whether an ONNX file has numbers in float16 or bfloat16. Reads no weights, needs no package.

    ONNX Runtime's memory is measured: the ONNX package and the weights shouldn't be there too.
    """
    with (
        ours("looking for half precision in an ONNX file"),
        model_file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return any(number in HALF for number in _data_types(data, range(len(data)), "model"))


def _data_types(data: mmap.mmap, within: range, message: str) -> Iterator[int]:
    """The numbers of the types of the tensors in a message of `onnx_external_data`."""
    for number, value in fields(data, within):
        if message == "tensor":
            if number == DATA_TYPE and isinstance(value, int):
                yield value
            continue
        inside = INSIDE[message].get(number)
        if inside and isinstance(value, range):
            yield from _data_types(data, value, inside)


def _precisions(graph: Any, outside: Mapping[str, Tensor], folded: bool) -> Iterator[str]:
    """The precision of each operator of a graph, and of the graphs inside its nodes.

    Args:
        graph: `onnx.GraphProto`.
        outside: the tensors of the graphs around it.
        folded: see `operators`.
    """
    declared = {
        item.name: _dtype(item.type.tensor_type.elem_type)
        for item in [*graph.input, *graph.value_info, *graph.output]
    }
    known = dict(outside)
    for item in graph.input:
        known[item.name] = _new(declared[item.name])
    for item in graph.initializer:
        known[item.name] = _constant(item)
    for node in graph.node:
        if node.op_type in MULTIPLY:
            yield _precision(node, known, folded)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from _precisions(inner, known, folded)
        for place, name in enumerate(node.output):
            known[name] = _output(node, place, known, declared.get(name, UNKNOWN))


def _precision(node: Any, known: Mapping[str, Tensor], folded: bool) -> str:
    places = MULTIPLY[node.op_type]
    one, other = (known.get(node.input[place], Tensor()) for place in places)
    activations, weights = (other, one) if one.constant and not other.constant else (one, other)
    if node.op_type == ROUNDS:
        activations = Tensor(FLOAT32, "uint8", dynamic=True)
    if folded and weights.constant and weights.rounded == FLOAT32:
        weights = replace(weights, rounded=_fits(weights.constant))
    return of_operator(activations.rounded, weights.rounded, activations.dynamic or weights.dynamic)


def _output(node: Any, place: int, known: Mapping[str, Tensor], declared: str) -> Tensor:
    """What a node puts out.

    Args:
        node: `onnx.NodeProto`.
        place: which of its outputs.
        known: the tensors before it.
        declared: the type that the graph declares for it.
    """
    given = [known.get(name, Tensor()) for name in node.input]
    first = given[0] if given else Tensor()
    values = {item.name: item for item in node.attribute}
    if node.op_type in MOVES and place == 0:
        return first
    if node.op_type in ("Constant", "ConstantOfShape"):
        return _constant(values["value"].t) if "value" in values else _new(FLOAT32)
    if node.op_type == "Concat" and len({(item.rounded, item.dynamic) for item in given}) == 1:
        return replace(first, constant=None)
    if node.op_type == "Cast":
        return _cast(first, _dtype(values["to"].i))
    if node.op_type == "QuantizeLinear":
        asked = _dtype(values["output_dtype"].i) if "output_dtype" in values else UNKNOWN
        dtype = given[2].dtype if len(given) > 2 else asked
        dtype = "uint8" if dtype == UNKNOWN else dtype
        return replace(first, dtype=dtype, rounded=dtype, dynamic=given[1].constant is None)
    if node.op_type == "DequantizeLinear":
        return replace(first, dtype=given[1].dtype)
    if node.op_type == "DynamicQuantizeLinear" and place == 0:
        return Tensor("uint8", "uint8", dynamic=True)
    if node.op_type.startswith("QLinear") or (node.op_type, len(given)) == ("QGemm", 9):
        return _new(first.dtype)
    if declared == UNKNOWN:  # most operators calculate in one type
        real = [item.dtype for item in given if item.dtype in REAL]
        declared = next(iter(real), first.dtype)
    return _new(declared)


def _cast(given: Tensor, dtype: str) -> Tensor:
    """A tensor in another type; a wider one leaves its numbers as they are."""
    kept = (FLOAT16, BFLOAT16, *BYTES) if given.constant else (FLOAT16, BFLOAT16)
    widens = dtype == FLOAT32 and given.rounded in kept
    return replace(given, dtype=dtype, rounded=given.rounded if widens else dtype)


def _new(dtype: str) -> Tensor:
    return Tensor(dtype, dtype)


def _constant(tensor: Any) -> Tensor:
    return replace(_new(_dtype(tensor.data_type)), constant=tensor)


def _dtype(number: int) -> str:
    from onnx.helper import tensor_dtype_to_np_dtype

    try:
        return tensor_dtype_to_np_dtype(number).name
    except KeyError:  # 0: not declared
        return UNKNOWN


def _fits(tensor: Any) -> str:
    """The narrowest type of real numbers that a float32 tensor's numbers fit in."""
    import ml_dtypes
    import numpy as np
    from onnx import numpy_helper

    numbers = numpy_helper.to_array(tensor)
    for name, dtype in ((FLOAT16, np.float16), (BFLOAT16, ml_dtypes.bfloat16)):
        with np.errstate(over="ignore"):
            if np.array_equal(numbers.astype(dtype).astype(np.float32), numbers):
                return name
    return FLOAT32
