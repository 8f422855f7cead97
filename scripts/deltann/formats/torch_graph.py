"""The graph of a PyTorch ExportedProgram, to be read, run node by node, and changed.

Weights are inside the graph's module, and no operator changes a tensor in place: `relu_` is `relu`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from deltann.formats import exported_program

# Operators that may give back their first argument without saying so.
MAY_ALIAS = {"reshape", "flatten", "contiguous", "dropout", "to", "type_as", "unflatten"}
WRITTEN_IN_TRAINING = ("running_mean", "running_var")


class Network:
    """A `torch.fx.GraphModule` with one input and one output.

    Attributes:
        module: the module.
        shape, dtype: of the input, as `float32`.
    """

    def __init__(self, module: Any, shape: tuple[int, ...], dtype: str):
        self.module, self.shape, self.dtype = module, shape, dtype
        self._values: dict[Any, Any] = {}
        self.refresh()

    def refresh(self) -> None:
        """Find out anew what depends on the input, after the graph was changed."""
        (self.input,) = (node for node in self.module.graph.nodes if node.op == "placeholder")
        self.dependent = {self.input}
        for node in self.module.graph.nodes:
            if self.dependent.intersection(node.all_input_nodes):
                self.dependent.add(node)
        self.nodes = {node.name: node for node in self.module.graph.nodes}

    @property
    def output(self) -> Any:
        """The node of the logits."""
        (node,) = self.module.graph.output_node().all_input_nodes
        return node

    def live(self) -> list[Any]:
        """The nodes that depend on the input and lead to the output, in running order."""
        leading = _leading_to([self.output], lambda node: node.all_input_nodes)
        return [
            node for node in self.module.graph.nodes if node in leading and node in self.dependent
        ]

    def value(self, node: Any) -> Any:
        """The value of a node that doesn't depend on the input."""
        if node not in self._values:
            needed = _leading_to([node], lambda item: item.all_input_nodes)
            for item in self.module.graph.nodes:
                if item in needed and item not in self._values:
                    self._values[item] = self._call(item, self._values)
        return self._values[node]

    def run(
        self, image: Any, wanted: Collection[str], replaced: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Run what some nodes need, and free each value behind its last reader.

        Args:
            image: `torch.Tensor`, cast to the input's type.
            wanted: names of nodes.
            replaced: `torch.Tensor` by the names of nodes that aren't computed.

        Returns:
            NumPy arrays by the names of the wanted nodes; bfloat16 as float32.
        """
        import torch

        def sources(node: Any) -> Iterable[Any]:
            given = node.name in replaced or node not in self.dependent
            return () if given else node.all_input_nodes

        needed = _leading_to([self.nodes[name] for name in wanted], sources)
        readers = Counter(source for node in needed for source in sources(node))
        values: dict[Any, Any] = {}
        found = {}
        with torch.no_grad():
            for node in self.module.graph.nodes:
                if node not in needed:
                    continue
                if node.name in replaced:
                    values[node] = replaced[node.name].to(node.meta["val"].dtype)
                elif node is self.input:
                    values[node] = image.to(getattr(torch, self.dtype))
                elif node not in self.dependent:
                    values[node] = self.value(node)
                else:
                    values[node] = self._call(node, values)
                if node.name in wanted:
                    found[node.name] = as_array(values[node])
                for source in sources(node):
                    readers[source] -= 1
                    if not readers[source]:
                        del values[source]
                if not readers[node]:
                    del values[node]
        return found

    def _call(self, node: Any, values: Mapping[Any, Any]) -> Any:
        """What a node computes from the values of the nodes that it reads."""
        import torch

        if node.op == "get_attr":
            value = self.module
            for part in node.target.split("."):
                value = getattr(value, part)
            return value.detach() if isinstance(value, torch.Tensor) else value
        args, kwargs = (
            torch.fx.map_arg(items, values.__getitem__) for items in (node.args, node.kwargs)
        )
        if "batch_norm" in operator_name(node):  # in training it changes its statistics
            args = tuple(
                value.clone() if name in WRITTEN_IN_TRAINING and value is not None else value
                for name, value in zip(bound(node), args, strict=False)
            )
        return node.target(*args, **kwargs)


def load(path: Path) -> Network:
    """Load a `.pt2` file that takes one image and gives one tensor.

    Raises:
        ValueError: see `exported_program.load`.
    """
    program = exported_program.load(path)
    shape, dtype = exported_program.input_shape(program), exported_program.input_dtype(program)
    if _changes_views(program.graph):
        program = program.run_decompositions({})
    module = program.module(check_guards=False)
    _out_of_place(module)
    return Network(module, shape, dtype)


def as_array(value: Any) -> Any:
    """A `torch.Tensor` as a numpy array of its own; bfloat16, which NumPy lacks, as float32."""
    import torch

    value = value.detach()
    return (value.float() if value.dtype == torch.bfloat16 else value).clone().numpy()


def as_tensor(value: Any) -> Any:
    """A numpy array as a `torch.Tensor` of its own."""
    import numpy as np
    import torch

    return torch.from_numpy(np.array(value, order="C"))


def operator_name(node: Any) -> str:
    """The name of a node's function without overload: `conv2d` of `aten.conv2d.default`."""
    overloads = getattr(node.target, "overloadpacket", node.target)
    return str(getattr(overloads, "__name__", overloads))


def bound(node: Any) -> dict[str, Any]:
    """A node's arguments by the names in its operator's schema, with defaults."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return {str(place): value for place, value in enumerate(node.args)} | dict(node.kwargs)
    arguments = {}
    for place, argument in enumerate(schema.arguments):
        given = node.args[place] if place < len(node.args) else argument.default_value
        arguments[argument.name] = node.kwargs.get(argument.name, given)
    return arguments


def set_argument(node: Any, name: str, value: Any) -> None:
    """Set one of a node's arguments by its name in the operator's schema."""
    for place, argument in enumerate(node.target._schema.arguments[: len(node.args)]):
        if argument.name == name:
            node.update_arg(place, value)
            return
    node.update_kwarg(name, value)


def _leading_to(ends: Iterable[Any], sources: Callable[[Any], Iterable[Any]]) -> set[Any]:
    """Nodes, and all that they read, by a function that says what a node reads."""
    found: set[Any] = set()
    waiting = list(ends)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += sources(node)
    return found


def _writes_first(node: Any) -> bool:
    """Whether a node changes its first argument, and gives it back."""
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or not schema.arguments:
        return False
    alias = schema.arguments[0].alias_info
    return alias is not None and alias.is_write


def _changes_views(graph: Any) -> bool:
    """Whether an operator changes a tensor in place that is later read under another name.

    Or whether there is no operator that computes the same out of place.
    """
    owners: dict[Any, Any] = {}
    nodes = list(graph.nodes)
    places = {node: place for place, node in enumerate(nodes)}
    for node in nodes:
        schema = getattr(node.target, "_schema", None)
        first = node.args[0] if node.args else None
        aliases = operator_name(node) in MAY_ALIAS or (
            schema is not None and schema.arguments and schema.arguments[0].alias_info is not None
        )
        if operator_name(node) == "getitem" or (aliases and not _writes_first(node)):
            owners[node] = owners.get(first, first)
        if not _writes_first(node):
            continue
        if _other_overload(node) is None:
            return True
        owner = owners.get(first, first)
        others = [item for item in nodes if owners.get(item, item) is owner and item is not first]
        if any(places[user] > places[node] for item in others for user in item.users):
            return True
    return False


def _other_overload(node: Any) -> Any:
    """The operator that computes out of place what a node computes in place; None if none does."""
    import torch

    namespace = getattr(torch.ops, node.target.namespace)
    packet = getattr(namespace, operator_name(node).removesuffix("_"), None)
    other = getattr(packet, node.target._overloadname, None)
    return None if other is node.target else other


def _out_of_place(module: Any) -> None:
    """Have each operator compute out of place, and readers behind it read the new tensor."""
    nodes = list(module.graph.nodes)
    for place, node in enumerate(nodes):
        if not _writes_first(node):
            continue
        node.target = _other_overload(node)
        for user in nodes[place + 1 :]:
            user.replace_input_with(node.args[0], node)
    module.recompile()
