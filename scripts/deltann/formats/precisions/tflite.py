"""What the convolutions and matrix products of a TFLite file compute in.

The numbers of fields, operators and types are those of TensorFlow's
tensorflow/lite/schema/schema.fbs. Recurrent layers, and operators in StableHLO, aren't counted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deltann.ours import ours
from deltann.precision import BYTES, FLOAT32, of_operator

# The places of fields in the tables Model, SubGraph, Tensor, Operator and OperatorCode.
_CODES, _SUBGRAPHS = 1, 2
_TENSORS, _SUBGRAPH_INPUTS, _OPERATORS = 0, 1, 3
_TYPE = 1
_CODE_NUMBER, _INPUTS, _OUTPUTS = 0, 1, 2
_OLD_CODE, _CODE = 0, 3

TYPES = {0: FLOAT32, 1: "float16", 3: "uint8", 7: "int16", 9: "int8", 10: "float64"}
TYPES |= {17: "int4", 18: "bfloat16", 19: "int2", 20: "uint4"}
# Where the activations and the weights are among the inputs of convolutions (in two and three
# dimensions, depthwise, transposed), of fully connected layers and of matrix products.
MULTIPLY = {3: (0, 1), 4: (0, 1), 132: (0, 1), 67: (2, 1), 141: (2, 1), 9: (0, 1)}
PRODUCT = 126
# DEQUANTIZE and CAST; SPACE_TO_DEPTH, RESHAPE, PAD, BATCH_TO_SPACE_ND, SPACE_TO_BATCH_ND,
# TRANSPOSE, SQUEEZE, STRIDED_SLICE, PADV2, SLICE, EXPAND_DIMS, MIRROR_PAD, DENSIFY: the numbers
# that these take first are the ones that they give.
WIDEN = (6, 53)
SAME_NUMBERS = (26, 22, 34, 37, 38, 39, 43, 45, 60, 65, 70, 100, 124)


@dataclass(frozen=True)
class _Operator:
    code: int
    inputs: list[int]
    outputs: list[int]


@dataclass(frozen=True)
class _Operand:
    """What an operator multiplies.

    Attributes:
        given: the type of the tensor that the operator takes.
        rounded: the type that its numbers were rounded to before.
        constant: whether the file has the numbers.
    """

    given: str
    rounded: str
    constant: bool


@dataclass(frozen=True)
class _Graph:
    """A subgraph.

    Attributes:
        types: the type of each tensor.
        inputs: the tensors that it takes.
        operators: in order.
    """

    types: list[str]
    inputs: list[int]
    operators: list[_Operator]

    @cached_property
    def makers(self) -> dict[int, _Operator]:
        """The operator that gives each tensor."""
        return {made: item for item in self.operators for made in item.outputs}

    def operand(self, tensor: int) -> _Operand:
        """An operand, followed back to the tensor that its numbers come from."""
        given, makers = self.types[tensor], self.makers
        while self.types[tensor] == FLOAT32 and tensor in makers:
            if makers[tensor].code not in WIDEN + SAME_NUMBERS:
                return _Operand(given, FLOAT32, constant=False)
            tensor = makers[tensor].inputs[0]
        constant = tensor not in makers and tensor not in self.inputs
        return _Operand(given, self.types[tensor], constant)


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`; operators of all subgraphs."""
    with ours("reading what a TFLite file computes in"):
        graphs = _graphs(model_file.read_bytes())
        return dict(Counter(name for graph in graphs for name in _precisions(graph)))


def _precisions(graph: _Graph) -> Iterator[str]:
    """The precision of each convolution and matrix product."""
    for item in graph.operators:
        if item.code in MULTIPLY:
            yield _precision(*(graph.operand(item.inputs[place]) for place in MULTIPLY[item.code]))
        elif item.code == PRODUCT:
            yield _precision(*sorted(map(graph.operand, item.inputs), key=lambda it: it.constant))


def _precision(activations: _Operand, weights: _Operand) -> str:
    if weights.given in BYTES and activations.given == FLOAT32:
        # the kernel rounds whole activations as it runs, also XNNPACK's
        return of_operator("int8", weights.given, dynamic=True)
    if weights.rounded not in BYTES and activations.given == FLOAT32:
        # pixels may come as bytes, but float32 numbers multiply them
        known = activations.rounded if activations.rounded == weights.rounded else FLOAT32
        return of_operator(known, weights.rounded)
    return of_operator(activations.rounded, weights.rounded)


def _graphs(data: bytes) -> list[_Graph]:
    """The subgraphs of a `.tflite` file's content."""
    from flatbuffers import encode, packer, table

    model = table.Table(bytearray(data), encode.Get(packer.uoffset, data, 0))
    # files from before the field _CODE have the number in the one of a byte
    codes = [
        max(_number(item, _CODE, "Int32"), _number(item, _OLD_CODE, "Int8"))
        for item in _tables(model, _CODES)
    ]
    return [_graph(item, codes) for item in _tables(model, _SUBGRAPHS)]


def _graph(subgraph: Any, codes: list[int]) -> _Graph:
    types = [_number(item, _TYPE, "Int8") for item in _tables(subgraph, _TENSORS)]
    return _Graph(
        types=[TYPES.get(number, f"type {number}") for number in types],
        inputs=_numbers(subgraph, _SUBGRAPH_INPUTS),
        operators=[
            _Operator(
                code=codes[_number(item, _CODE_NUMBER, "Uint32")],
                inputs=_numbers(item, _INPUTS),
                outputs=_numbers(item, _OUTPUTS),
            )
            for item in _tables(subgraph, _OPERATORS)
        ],
    )


def _number(parent: Any, place: int, kind: str) -> int:
    """A number in a table's field; 0 if it isn't there."""
    from flatbuffers import number_types

    offset = parent.Offset(4 + 2 * place)
    flags = getattr(number_types, f"{kind}Flags")
    return parent.Get(flags, parent.Pos + offset) if offset else 0


def _numbers(parent: Any, place: int) -> list[int]:
    """The numbers in a table's field, which is a vector of int32."""
    from flatbuffers import number_types

    start, length = _vector(parent, place)
    return [parent.Get(number_types.Int32Flags, start + 4 * number) for number in range(length)]


def _tables(parent: Any, place: int) -> list[Any]:
    """The tables in a table's field, which is a vector of tables."""
    from flatbuffers import table

    start, length = _vector(parent, place)
    places = [start + 4 * number for number in range(length)]
    return [table.Table(parent.Bytes, parent.Indirect(item)) for item in places]


def _vector(parent: Any, place: int) -> tuple[int, int]:
    """Where a table's field has a vector, and its length."""
    offset = parent.Offset(4 + 2 * place)
    return (parent.Vector(offset), parent.VectorLen(offset)) if offset else (0, 0)
