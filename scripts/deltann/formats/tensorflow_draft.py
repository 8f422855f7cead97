"""A frozen TensorFlow graph that is made again, with changes."""

from collections.abc import Sequence
from typing import Any

from deltann.edits import Impossible
from deltann.formats.draft import Draft, Item
from deltann.formats.tensorflow_build import build
from deltann.formats.tensorflow_frozen import Frozen, data_inputs, node_of, placeholders
from deltann.steps import Operator

# Where new operators are while their names are not settled.
NEW = "deltann_new"
# What their names have in the middle: TensorFlow 2.21's remapper makes a constant `<name>/Const` of
# a batch norm's epsilon, and overwrites one of that name (docs/found).
PARTS = "parts"


def draft(frozen: Frozen, operators: Sequence[Operator]) -> Draft:
    """The nodes of a graph, but for the input and what it takes from outside.

    Args:
        operators: of the graph.
    """
    known = {operator.name: operator for operator in operators}
    items = {}
    for name, node in frozen.nodes.items():
        if name != node_of(frozen.input) and f"{name}:0" not in frozen.captured:
            reads = data_inputs(node)
            inputs = known[name].inputs if name in known else ()
            moving = [place for place, item in enumerate(reads) if item in inputs]
            items[name] = Item(name, reads, tuple(_outputs(frozen, name)), moving, node)
    return Draft(
        items,
        frozen.input,
        frozen.output,
        operator=lambda item: known[item.name],
        joined=lambda tensor, kind: f"{node_of(tensor)}/{kind}",
        first=lambda name: f"{name}:0",
    )


def _outputs(frozen: Frozen, name: str) -> list[str]:
    index, found = 0, []
    while (output := f"{name}:{index}") in frozen.shapes:
        found.append(output)
        index += 1
    return found


def definition(changed: Draft, frozen: Frozen) -> Any:
    """`GraphDef` of the changed calls.

    Args:
        frozen: the graph that they come from.

    Raises:
        Impossible: TensorFlow has no operators for some words, or shapes don't fit.
    """
    import tensorflow
    from tensorflow.python.framework import graph_util

    graph = tensorflow.Graph()
    names: dict[str, str] = {}
    with graph.as_default():
        functions = type(frozen.definition)()
        functions.library.CopyFrom(frozen.definition.library)
        functions.versions.CopyFrom(frozen.definition.versions)
        tensorflow.graph_util.import_graph_def(functions, name="")
        source = node_of(changed.input)
        taken = tensorflow.compat.v1.placeholder(
            frozen.declared.dtype, frozen.declared.shape, name=source
        )
        tensors = {changed.input: taken, **placeholders(frozen)}
        names |= {item.op.name: node_of(name) for name, item in tensors.items()}
        for item in changed.order():
            inputs = [tensors[name] for name in item.reads if name in tensors]
            try:
                if item.words is None:
                    made = _again(graph, item, inputs, names)
                else:
                    made = _new(graph, item, [tensors[name] for name in item.inputs], names)
            except (ValueError, TypeError) as error:
                raise Impossible(f"{item.name!r}: {error}") from error
            tensors |= dict(zip(item.writes, made, strict=False))
    ends = [source, node_of(changed.output)]
    return graph_util.extract_sub_graph(_renamed(graph.as_graph_def(), names), ends)


def _again(graph: Any, item: Item, inputs: list[Any], names: dict[str, str]) -> list[Any]:
    """The node as it was."""
    attributes = {name: value for name, value in item.native.attr.items() if name[0] != "_"}
    # a name with a slash at the end is taken as it is
    made = graph._create_op_internal(item.native.op, inputs, name=f"{item.name}/", attrs=attributes)
    names[made.name] = item.name
    return made.outputs


def _new(graph: Any, item: Item, inputs: list[Any], names: dict[str, str]) -> list[Any]:
    """Nodes by words: the last one gets the name, those of others begin with it."""
    import tensorflow

    if item.native is not None and item.native.attr["data_format"].s == b"NCHW":
        raise Impossible(f"a change of {item.name!r}, whose channels are first")
    before = {operation.name for operation in graph.get_operations()}
    assert item.words is not None
    with graph.name_scope(NEW) as scope:
        made = build(item.words, inputs)
        outputs = list(made) if isinstance(made, (list, tuple)) else [made]
        if any(tensor is outputs[0] for tensor in inputs):
            outputs = [tensorflow.identity(outputs[0])]
    if any(tensor.op is not outputs[0].op for tensor in outputs):
        raise Impossible(f"{item.name!r} would have outputs of several operators")
    for operation in graph.get_operations():
        if operation.name not in before:
            names[operation.name] = f"{item.name}/{PARTS}/{operation.name.removeprefix(scope)}"
    names[outputs[0].op.name] = item.name
    return outputs


def _renamed(made: Any, names: dict[str, str]) -> Any:
    for node in made.node:
        node.name = names[node.name]
        for place, item in enumerate(node.input):
            source, colon, index = item.partition(":")
            node.input[place] = names[source] + colon + index
    return made
