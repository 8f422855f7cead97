"""Names in an ONNX graph, changed without a change of what it computes.

A node may hold graphs of its own: the branches of `If`, the bodies of `Loop` and `Scan`. They read
names of the graphs around them, and may define a name again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from deltann.ours import ours

# A name by `number_tensors` or `number_nodes`, also as part of a name that a converter made of it.
NUMBERED = re.compile(r"(?<![A-Za-z0-9])(?:tensor_\d+|node(?:_\d+)+)(?!\d)")


@contextmanager
def naming(names: Mapping[str, str]) -> Iterator[None]:
    """Have exceptions from inside name tensors and nodes as the model's file does.

    Args:
        names: of `number_tensors` or `number_nodes`.
    """
    try:
        yield
    except Exception as error:
        error.args = tuple(
            NUMBERED.sub(lambda found: names.get(found[0], found[0]), argument)
            if isinstance(argument, str)
            else argument
            for argument in error.args
        )
        raise


def number_tensors(graph: Any) -> dict[str, str]:
    """Rename the tensors of an `onnx.GraphProto` to `tensor_1`, `tensor_2`, …

    Converters name modules and layers after tensors. In PyTorch a dot separates nested modules, and
    a `.pt2` file with a `;` in a name can't be loaded. TensorFlow refuses a scope with a `;`, which
    TFLite puts into the names of fused operators.

    Returns:
        The name in the file by the new name: for `naming`.
    """
    before: dict[str, str] = {}

    def fresh(name: str) -> str:
        new = f"tensor_{len(before) + 1}"
        before[new] = name
        return new

    with ours("numbering an ONNX graph's tensors"):
        _number(graph, {"": ""}, fresh)
    return before


def _number(graph: Any, outer: dict[str, str], fresh: Callable[[str], str]) -> None:
    """Rename the tensors of a graph; `outer` has the new names of those around it."""
    own = _defined(graph)
    names = {old: new for old, new in outer.items() if old not in own}

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = fresh(name)
        return names[name]

    for item in [*graph.input, *graph.initializer]:
        item.name = renamed(item.name)
    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        for inner in _graphs(node):
            _number(inner, names, fresh)
        node.output[:] = [renamed(name) for name in node.output]
    for item in [*graph.output, *graph.value_info]:
        item.name = renamed(item.name)


def number_nodes(graph: Any) -> dict[str, str]:
    """Rename the nodes of an `onnx.GraphProto` to `node_0`, `node_1`, …; inner ones `node_1_0_0`.

    Returns:
        By the new name that in the file, or what a node without a name makes: for `naming`.
    """
    before: dict[str, str] = {}
    with ours("numbering an ONNX graph's nodes"):
        _number_nodes(graph, "node", before)
    return before


def _number_nodes(graph: Any, prefix: str, before: dict[str, str]) -> None:
    for index, node in enumerate(graph.node):
        new = f"{prefix}_{index}"
        before[new] = node.name or f"{node.op_type} of {', '.join(filter(None, node.output))}"
        node.name = new
        for number, inner in enumerate(_graphs(node)):
            _number_nodes(inner, f"{new}_{number}", before)


def name_constants(graph: Any) -> None:
    """Name and sort the constants of an `onnx.GraphProto` in the order of their first use.

    Constants that nothing reads are dropped. tf2onnx merges equal constants in the order of a set
    of strings, so the name that remains differs from process to process.
    """
    with ours("naming an ONNX graph's constants"):
        taken = set(_all_names(graph))
        free = (name for name in map("constant_{}".format, count()) if name not in taken)
        _name_constants(graph, [], free)


def _name_constants(graph: Any, outer: list[dict], free: Iterator[str]) -> None:
    """Name the constants of a graph, and those of the graphs around it that it reads first.

    Args:
        graph: the graph.
        outer: for each graph around it, the outermost first, the names that it defines with their
            new ones, or None for a constant that hasn't been read yet.
        free: new names.
    """
    constants = {item.name: item for item in graph.initializer}
    # what a caller knows by its name keeps it
    fixed = {item.name for item in [*graph.input, *([] if outer else graph.output)]}
    own = {name: None if name in constants.keys() - fixed else name for name in _defined(graph)}
    order = [name for name in constants if name in fixed]

    def renamed(name: str) -> str:
        scope = next((names for names in [own, *reversed(outer)] if name in names), None)
        if scope is None:
            return name
        if scope[name] is None:
            scope[name] = next(free)
        return scope[name]

    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        for inner in _graphs(node):
            _name_constants(inner, [*outer, own], free)
    for item in graph.output if outer else []:
        item.name = renamed(item.name)
    read = [name for name in constants if name not in fixed and own[name] is not None]
    order += sorted(read, key=lambda name: int(str(own[name]).rpartition("_")[2]))
    del graph.initializer[:]
    for name in order:
        constants[name].name = own[name]
        graph.initializer.append(constants[name])


def drop_unread_inputs(graph: Any) -> None:
    """Remove the inputs of an `onnx.GraphProto` that no node reads, in no graph inside it."""
    with ours("removing an ONNX graph's unread inputs"):
        read = set(_reads(graph))
        inputs = [item for item in graph.input if item.name in read]
        del graph.input[:]
        graph.input.extend(inputs)


def _graphs(node: Any) -> Iterator[Any]:
    """The graphs that a node holds."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _defined(graph: Any) -> set[str]:
    """The names that a graph defines itself."""
    items = [*graph.input, *graph.initializer]
    made = {name for node in graph.node for name in node.output}
    return ({item.name for item in items} | made) - {""}


def _reads(graph: Any) -> Iterator[str]:
    """The names that a graph, and the graphs inside it, read."""
    for node in graph.node:
        yield from read_by(node)


def read_by(node: Any) -> Iterator[str]:
    """The names that a node, and the graphs inside it, read."""
    yield from node.input
    for inner in _graphs(node):
        yield from _reads(inner)
        yield from (item.name for item in inner.output)


def rename_reads(node: Any, name: str, new: str) -> None:
    """Have a node, and the graphs inside it, read another tensor instead of one."""
    node.input[:] = [new if item == name else item for item in node.input]
    for inner in _graphs(node):
        for item in inner.node:
            rename_reads(item, name, new)
        for item in inner.output:
            item.name = new if item.name == name else item.name


def names_inside(node: Any) -> Iterator[str]:
    """The names of the tensors that the graphs inside a node define."""
    for graph in _graphs(node):
        yield from _defined(graph)
        for inner in graph.node:
            yield from names_inside(inner)


def _all_names(graph: Any) -> Iterator[str]:
    """The names of what isn't a constant, in a graph and the graphs inside it."""
    constants = {item.name for item in graph.initializer}
    yield from _defined(graph) - constants
    yield from (item.name for item in [*graph.input, *graph.output])
    for node in graph.node:
        for inner in _graphs(node):
            yield from _all_names(inner)
