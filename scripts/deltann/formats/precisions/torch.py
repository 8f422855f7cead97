"""The precision of each convolution and matrix product of a PyTorch program: declared, or measured.

PyTorch computes float32 operators in less where a setting allows that and the processor has such
instructions; it doesn't say for which operators. So their answers are compared with those to
rounded operands.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deltann.formats import exported_program
from deltann.ours import ours
from deltann.precision import BFLOAT16, BYTES, FLOAT16, FLOAT32, TF32, of_operator

# Convolutions and matrix products, with the places of the two arguments that are multiplied.
MULTIPLY = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution", "_convolution"), (0, 1)),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), (0, 1)),
    **dict.fromkeys(("linear", "matmul", "mm", "bmm", "mv", "_int_mm"), (0, 1)),
    **dict.fromkeys(("addmm", "addbmm", "baddbmm", "addmv"), (1, 2)),
}
EINSUM, ATTENTION = "einsum", ("scaled_dot_product_", "_scaled_dot_product_")
# Operators whose answer has only numbers of their first argument, and zeros.
MOVES = {
    *("alias", "clone", "contiguous", "detach", "dropout", "expand", "flatten", "getitem", "pad"),
    *("permute", "reshape", "select", "slice", "split", "squeeze", "t", "transpose", "unflatten"),
    *("unsqueeze", "view", "constant_pad_nd", "max_pool2d", "chunk", "flip", "roll"),
}
# It takes a tensor out of a tensor of another class, as torchao's of quantized weights.
INSIDE = "access_subclass_inner_tensor"
CASTS = {"to", "_to_copy", "float", "half", "bfloat16"}


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor.

    Attributes:
        rounded: the type that its numbers are rounded to, as NumPy names it, of those on their way.
        constant: whether the program's file has its numbers.
        dynamic: whether they have a scale that is found at run time.
    """

    rounded: str
    constant: bool = False
    dynamic: bool = False


def operators(model_file: Path) -> dict[str, int]:
    """See `precisions.Reader`."""
    return dict(Counter(declared(exported_program.load(model_file))))


def declared(program: Any) -> list[str]:
    """The precision of each operator of a `torch.export.ExportedProgram`, in their order."""
    import torch

    with ours("reading the precision of an exported program"):
        signature = program.graph_signature
        constants = {
            *signature.inputs_to_parameters,
            *signature.inputs_to_buffers,
            *signature.inputs_to_lifted_tensor_constants,
        }
        found = []
        for module in program.graph_module.modules():
            if isinstance(module, torch.fx.GraphModule):
                found += _precisions(module.graph, constants)
        return found


def _precisions(graph: Any, constants: set[str]) -> list[str]:
    """The precision of each operator of a `torch.fx.Graph`.

    Args:
        graph: the graph.
        constants: the names of inputs whose values are in the file.
    """
    known: dict[Any, Tensor] = {}
    found = []
    for node in graph.nodes:
        operands = _operands(_name(node.target), node.args)
        if operands:
            one, other = (known[operand] for operand in operands)
            swap = one.constant and not other.constant
            activations, weights = (other, one) if swap else (one, other)
            dynamic = activations.dynamic or weights.dynamic
            found.append(of_operator(activations.rounded, weights.rounded, dynamic))
        known[node] = _result(node, known, constants)
    return found


def _operands(name: str, arguments: tuple) -> tuple:
    """The two arguments that an operator multiplies; nothing for other operators."""
    if name == EINSUM:
        return tuple(arguments[1]) if len(arguments[1]) == 2 else ()
    places = (0, 1) if name.startswith(ATTENTION) else MULTIPLY.get(name, ())
    return tuple(arguments[place] for place in places)


def _name(target: Any) -> str:
    """The name of a node's function: `conv2d` of `torch.ops.aten.conv2d.default`."""
    overloads = getattr(target, "overloadpacket", target)
    return str(getattr(overloads, "__name__", overloads))


def _result(node: Any, known: dict[Any, Tensor], constants: set[str]) -> Tensor:
    """What is known of what a node computes."""
    if node.op in ("placeholder", "get_attr"):
        return Tensor(_dtype(node), node.op == "get_attr" or node.name in constants)
    name, given = _name(node.target), node.all_input_nodes
    first = known[given[0]] if given else Tensor(_dtype(node))
    if name == INSIDE:
        return Tensor(_dtype(node), first.constant)
    if name in MOVES or name.startswith("dequantize_"):
        return first
    if name.startswith("quantize_"):
        dynamic = any(not known[scale].constant for scale in given[1:])
        return replace(first, rounded=_dtype(node), dynamic=dynamic)
    if name in CASTS:
        kept = (FLOAT16, BFLOAT16, *BYTES) if first.constant else (FLOAT16, BFLOAT16)
        widens = _dtype(node) == FLOAT32 and first.rounded in kept
        return first if widens else replace(first, rounded=_dtype(node))
    if name in ("cat", "concat") and len({known[item] for item in given}) == 1:
        return first
    return Tensor(_dtype(node))


def _dtype(node: Any) -> str:
    """The type of a node's value, as `float32`; of the first of several."""
    return _plain(getattr(_first(node.meta.get("val")), "dtype", None))


def _first(value: Any) -> Any:
    """The first of several values."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value


def _plain(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def measured(call: Callable[[], object], expected: list[str]) -> list[str]:
    """The precision that operators are computed in, measured in one call of a program.

    Args:
        call: calls the program, operator by operator, and not in inference mode.
        expected: what `declared` says of the program; it holds for operators in float32, which may
            have been rounded before.

    Returns:
        The precision of each operator, in their order.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    found: list[str] = []

    class Listen(TorchDispatchMode):
        def __torch_dispatch__(
            self, function: Any, types: Any, arguments: tuple = (), named: dict | None = None
        ) -> Any:
            answer = function(*arguments, **(named or {}))
            operands = _operands(_name(function), arguments)
            if operands:
                found.append(_computed_in(function, arguments, named or {}, operands, answer))
            return answer

    with Listen():
        call()
    if len(found) != len(expected):
        return found
    return [old if new == FLOAT32 else new for old, new in zip(expected, found, strict=True)]


def _computed_in(function: Any, arguments: tuple, named: dict, operands: tuple, answer: Any) -> str:
    """What one operator was computed in: that whose answer in float64 is the nearest."""
    import torch

    one, other = operands
    if {one.dtype, other.dtype} != {torch.float32}:
        return of_operator(_plain(one.dtype), _plain(other.dtype))

    def apart(rounded: Callable[[Any], Any]) -> float:
        def exact(item: Any) -> Any:
            if isinstance(item, (list, tuple)):
                return type(item)(exact(part) for part in item)
            if not isinstance(item, torch.Tensor):
                return item
            return (rounded(item) if item is one or item is other else item).double()

        expected = function(*exact(arguments), **named)
        return float((_first(expected) - _first(answer)).abs().max())

    rounding = {
        FLOAT32: lambda item: item,
        TF32: _tf32,
        FLOAT16: lambda item: item.half().float(),
        BFLOAT16: lambda item: item.bfloat16().float(),
    }
    distances = {name: apart(rounded) for name, rounded in rounding.items()}
    return min(distances, key=lambda name: distances[name])


def _tf32(tensor: Any) -> Any:
    """Float32 numbers rounded to TensorFloat-32, which keeps 10 bits behind the point."""
    import torch

    return ((tensor.contiguous().view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)
