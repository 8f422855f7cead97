"""Some operators of an ExportedProgram as a program of their own: for a minimal reproducer."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import exported_program, segments, torch_graph, torch_operators
from deltann.formats.torch_graph import Network
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np


def extract(model_file: Path, operators: Collection[str], output: Path) -> list[str]:
    """Write a program of these operators alone.

    Its inputs are the tensors that they read from others, in the program's own types and called
    as in the whole program. Its outputs are those that others read, or the program's: a tensor if
    there is one, else a tuple. Weights, and what is computed from them, stay as they are.

    Args:
        model_file: the whole model.
        operators: their names, as the tracer gives them.
        output: the `.pt2` file to write.

    Returns:
        The names of its inputs.

    Raises:
        ValueError: the model has no such operator, or the file computes something else.
    """
    network = torch_graph.load(model_file)
    with ours("reading the operators of an exported program"):
        calls = _calls(network)
    inputs, outputs = segments.ends(calls, operators, network.output)
    names = [node.name for node in inputs]
    image = torch_graph.as_tensor(spot_check.image(network.shape, network.dtype))
    tensors = network.run(image, {*names, *(node.name for node in outputs)}, {})
    expected = {node.name: tensors[node.name] for node in outputs}
    given = [torch_graph.as_tensor(tensors[node.name]).to(_dtype(node)) for node in inputs]
    with ours("cutting operators out of an exported program"):
        module = _module(network, inputs, outputs)
    # zeros, because the file keeps them
    exported_program.save_for(module, [item.new_zeros(item.shape) for item in given], output)
    segments.check(model_file, expected, _answers(output, given))
    return names


def _calls(network: Network) -> dict[str, tuple[list[Any], list[Any]]]:
    """The nodes that each operator of a network reads, and those of what it writes, by its name."""
    live = network.live()
    return {
        node.name: (
            [item for item in node.all_input_nodes if item in network.dependent],
            torch_operators.outputs(node, live),
        )
        for node in live
        if torch_operators.is_operator(node)
    }


def _module(network: Network, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """A `torch.fx.GraphModule` of the nodes that lead from some nodes to others."""
    import torch

    nodes, needed = network.module.graph.nodes, {*outputs}
    for node in reversed(nodes):
        if node in needed and node not in inputs:
            needed.update(node.all_input_nodes)
    graph = torch.fx.Graph()
    copies = {node: graph.placeholder(node.name) for node in inputs}
    for node in nodes:
        if node in needed and node not in copies:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    made = [copies[node] for node in outputs]
    graph.output(tuple(made) if len(made) > 1 else made[0])
    return torch.fx.GraphModule(network.module, graph)


def _dtype(node: Any) -> Any:
    return node.meta["val"].dtype


def _answers(path: Path, inputs: Sequence[Any]) -> "list[np.ndarray]":
    """All outputs of a program."""
    import torch

    module = exported_program.load(path).module(check_guards=False)
    with torch.no_grad():
        given = module(*inputs)
    outputs = [given] if isinstance(given, torch.Tensor) else given
    return [torch_graph.as_array(item) for item in outputs]
