"""The operators of a PyTorch graph, in the words of `deltann.steps`."""

from collections.abc import Collection
from typing import Any

from deltann.formats import torch_functions, torch_layers
from deltann.formats.torch_graph import Network, as_array
from deltann.formats.torch_reading import Call, Reading, dtype_name, finite
from deltann.ours import ours
from deltann.steps import Operator

READERS = torch_layers.READERS | torch_functions.READERS
NAMESPACES = ("aten", "quantized_decomposed")


def operators(network: Network) -> list[Operator]:
    """Every operator that depends on the input and leads to the output, in running order."""
    with ours("reading the operators of an exported program"):
        live = network.live()
        return [_operator(network, node, set(live)) for node in live if is_operator(node)]


def is_operator(node: Any) -> bool:
    """Whether a node computes something: it isn't the input, or one output of several."""
    return node.op == "call_function" and not is_output_of(node)


def is_output_of(node: Any) -> bool:
    """Whether a node is one of the outputs of the node that it reads."""
    return getattr(node.target, "__name__", "") == "getitem"


def outputs(node: Any, live: Collection[Any]) -> list[Any]:
    """The nodes of the tensors that an operator writes."""
    parts = sorted(
        (user for user in node.users if is_output_of(user) and user in live),
        key=lambda user: user.args[1],
    )
    return parts or [node]


def read(network: Network, node: Any) -> Reading:
    """What an operator is."""
    call = Call(network, node)
    known = str(getattr(node.target, "namespace", "")) in NAMESPACES
    reader = READERS.get(call.name) if known else None
    reading = (reader(call) if reader else None) or _other(call)
    reading.places = reading.places or call.places()
    return reading


def _other(call: Call) -> Reading:
    """An operator that isn't in the words of `deltann.steps`, with its arguments as they are."""
    import torch

    attributes: dict[str, Any] = {}
    for name, value in call.arguments.items():
        if isinstance(value, torch.dtype):
            attributes[name] = dtype_name(value)
        elif isinstance(value, bool | int | float | str):
            attributes[name] = value if isinstance(value, bool | str) else finite(value)
        elif isinstance(value, list | tuple) and all(isinstance(item, int) for item in value):
            attributes[name] = list(value)
    found = {name: call.parameter(name) for name in call.arguments}
    parameters = {
        name: parameter
        for name, parameter in found.items()
        if parameter and isinstance(parameter.value, torch.Tensor)
    }
    return Reading("other", attributes, parameters)


def _operator(network: Network, node: Any, live: Collection[Any]) -> Operator:
    """What `operators` says of a node."""
    reading, call = read(network, node), Call(network, node)
    return Operator(
        node.name,
        str(node.target),
        reading.kind,
        tuple(call.at(place).name for place in reading.places),
        tuple(item.name for item in outputs(node, live)),
        reading.attributes,
        {name: as_array(parameter.value) for name, parameter in reading.parameters.items()},
    )
