"""The order of the nodes of a PyTorch graph."""

from typing import Any

from deltann.edits import Impossible


def sort(graph: Any) -> None:
    """Put each node of a `torch.fx.Graph` behind those that it reads; others stay where they are.

    Raises:
        Impossible: a node reads what depends on it.
    """
    order: dict[Any, None] = {}
    entered = set()
    for first in list(graph.nodes):
        waiting = [first]
        while waiting:
            node = waiting[-1]
            missing = [item for item in node.all_input_nodes if item not in order]
            if node in order or not missing:
                order[waiting.pop()] = None
            elif node in entered:
                raise Impossible(f"{node.name!r} would read what depends on it")
            else:
                entered.add(node)
                waiting += missing
    output = graph.output_node()
    for node in order:
        if node is not output:
            output.prepend(node)
