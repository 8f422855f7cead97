"""What the convolutions and matrix products of a TensorFlow graph compute in."""

import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deltann.formats.folder_tar import SAVED_MODEL
from deltann.ours import ours
from deltann.precision import BYTES, OTHER, of_operator

# Operators by their names without what TensorFlow adds to them when it fuses or replaces them.
ADDED = re.compile(r"^_*(Mkl)?(Native)?(PadWith)?(Fused)?")
MULTIPLY = re.compile(
    r"(Conv2D|Conv3D|DepthwiseConv2dNative|MatMul|BatchMatMul|Einsum)(V\d)?(With\w+)?"
)
TRANSPOSED = re.compile(r"(Conv2D|Conv3D|DepthwiseConv2dNative)BackpropInput(V\d)?")
# The numbers that these take first are the ones that they give.
SAME_NUMBERS = {"Identity", "IdentityN", "Transpose", "Reshape", "ExpandDims", "Squeeze", "Pad"}
SAME_NUMBERS |= {"PadV2", "MirrorPad", "SpaceToBatchND", "BatchToSpaceND", "Cast", "StopGradient"}
ROUNDING = "FakeQuantWithMinMax"
# The bytes of a number.
SIZES = {"int8": 1, "uint8": 1, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`, of a tarred SavedModel: of its serving signature."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from tensorflow.core.protobuf import saved_model_pb2

    with ours("reading what a SavedModel computes in"):
        with tarfile.open(model_file) as archive:
            content = archive.extractfile(SAVED_MODEL)
            assert content is not None
            saved = saved_model_pb2.SavedModel.FromString(content.read())
        graph = saved.meta_graphs[0]
        given = graph.signature_def["serving_default"].outputs.values()
        nodes = _needed([item.name for item in given], graph.graph_def.node)
        return of_nodes(nodes, graph.graph_def.library.function)


def of_nodes(nodes: Iterable[Any], functions: Iterable[Any]) -> dict[str, int]:
    """The number of operators of a graph and of the functions that it calls, by their precision.

    Args:
        nodes: the graph's `NodeDef`s.
        functions: the `FunctionDef`s of its library.
    """
    library = {item.signature.name: item for item in functions}
    return dict(Counter(_precisions(nodes, library)))


def _needed(names: list[str], nodes: Iterable[Any]) -> list[Any]:
    """The nodes that these depend on, and these."""
    known, found = {node.name: node for node in nodes}, {}
    waiting = [_maker(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = known[name]
            waiting += [_maker(item) for item in known[name].input]
    return list(found.values())


def _maker(name: str) -> str:
    """The node in the name of a node's input: `conv:output:0`, `conv:0`, `^conv`."""
    return name.partition(":")[0].lstrip("^")


def _precisions(nodes: Iterable[Any], library: Mapping[str, Any]) -> Iterator[str]:
    """The precision of each convolution and matrix product, also of called functions."""
    graph = {node.name: node for node in nodes}
    for node in graph.values():
        kind, given = ADDED.sub("", node.op), list(node.input)
        if MULTIPLY.fullmatch(kind) and (kind != "Einsum" or len(given) == 2):
            yield _precision(node, given[:2], graph)
        elif TRANSPOSED.fullmatch(kind):
            yield _precision(node, [given[2], given[1]], graph)
        for name in _called(node, library):
            yield from _precisions(library[name].node_def, library)


def _called(node: Any, library: Mapping[str, Any]) -> list[str]:
    """The functions that a node runs, such as both branches of a condition."""
    values = [value for name, value in node.attr.items() if not name.startswith("_")]
    names = [value.func.name for value in values]
    names += [item.name for value in values for item in value.list.func]
    return [name for name in [node.op, *names] if name in library]


@dataclass(frozen=True)
class _Operand:
    """What an operator multiplies.

    Attributes:
        given: the type that the operator takes.
        rounded: the type that its numbers were rounded to before.
    """

    given: str
    rounded: str


def _precision(node: Any, names: list[str], graph: Mapping[str, Any]) -> str:
    activations, weights = (
        _Operand(given, _rounded(name, given, graph))
        for name, given in zip(names, _types(node), strict=True)
    )
    if activations.given in BYTES:
        # no product of TensorFlow's takes a scale with its bytes: the graph has found one itself
        return of_operator(activations.given, weights.rounded, dynamic=True)
    if weights.rounded in BYTES or activations.rounded == weights.rounded:
        return of_operator(activations.rounded, weights.rounded)
    # pixels may come as bytes, but real numbers multiply them
    return of_operator(activations.given, weights.rounded)


def _types(node: Any) -> list[str]:
    """The types of the two operands that an operator takes."""
    first = "T" if "T" in node.attr else "Ta"
    return [_name(node.attr[kind].type) for kind in (first, "Tb" if first == "Ta" else "T")]


def _rounded(name: str, given: str, graph: Mapping[str, Any]) -> str:
    """The type that an operand's numbers were rounded to, followed back in its function."""
    node = graph.get(_maker(name))
    while node is not None:
        if node.op.startswith(ROUNDING):
            return "int8" if node.attr["num_bits"].i in (0, 8) else OTHER
        if node.op == "Dequantize":
            return _name(node.attr["T"].type).removeprefix("q")
        if node.op == "Cast":
            source, target = (_name(node.attr[item].type) for item in ("SrcT", "DstT"))
            if SIZES.get(source, 8) < SIZES.get(target, 0):
                return source
        if node.op not in SAME_NUMBERS:
            break
        node = graph.get(_maker(node.input[0]))
    return given


def _name(kind: int) -> str:
    """The name of a type by its number."""
    from tensorflow import dtypes

    return dtypes.as_dtype(kind).name
