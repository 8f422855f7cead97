"""A SavedModel's serving signature as one graph without function calls."""

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltann.formats import folder_tar
from deltann.formats.signatures import SERVING

# What TensorFlow names a call of a function, and so the first parts of what was inside.
CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?/")
# What TensorFlow names whatever a saved function takes from outside. In a function that is saved
# again, nodes of these names would be in its way.
OUTSIDE = re.compile(r"unknown(?=_\d+$|$)")
# The identities at the ends of a function, by their names without the calls.
LEFTOVER = re.compile(r"Identity(_\d+)?|Func/.*(in|out)put/_\d+")
# Operators that read only the shape of a tensor, which is known.
SHAPES = ("Shape", "Size", "Rank")
# More numbers than a padding or a shape has.
SMALL = 1024


@dataclass
class Frozen:
    """The graph of a SavedModel's serving signature.

    Attributes:
        definition: `GraphDef` of what leads to the output. The names have no function calls in
            them, unless they need them to be unique.
        nodes: its nodes by their names, each behind those that it reads.
        input, output: tensors, as `name:0`.
        taken, given: the signature's names of them.
        declared: `TensorSpec` of the input.
        model: what was loaded; it owns the variables.
        captured: what the graph takes from outside, by its tensors: variables' handles above all.
        shapes: of each tensor for a batch of 1; None where TensorFlow doesn't know a side.
        types: `DType` of each tensor.
    """

    definition: Any
    input: str
    output: str
    taken: str
    given: str
    declared: Any
    model: Any
    captured: dict[str, Any]
    nodes: dict[str, Any] = field(default_factory=dict)
    shapes: "dict[str, tuple[int | None, ...] | None]" = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = {node.name: node for node in self.definition.node}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the input, for a batch of 1."""
        return (1, *self.declared.shape[1:])


def read(model_file: Path, few: int = SMALL) -> Frozen:
    """Freeze the serving signature of a tarred SavedModel; grappler only inlines the functions.

    Args:
        model_file: the tar, whose signature has one input and one output.
        few: tensors from outside that have so many numbers become constants of the graph.
    """
    import tensorflow
    from tensorflow.python.framework import convert_to_constants

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        model = tensorflow.saved_model.load(str(folder_tar.untar_folder(model_file, Path(folder))))
        function = model.signatures[SERVING]
        ((taken, declared),) = function.structured_input_signature[1].items()
        ((given, _),) = function.structured_outputs.items()
        # what TensorFlow's own freezing does first; the weights aren't copied into the graph
        inlined = convert_to_constants._run_inline_graph_optimization(
            function, lower_control_flow=False, aggressive_inlining=False
        )
    inner = [item.name for item in function.graph.internal_captures]
    ends = function.inputs[0].name, function.outputs[0].name
    definition, names = _tidy(inlined, *ends)
    captured = {
        names[name]: value
        for name, value in zip(inner, function.captured_inputs, strict=True)
        if name in names
    }
    _embed(definition, captured, few)
    source, target = (names[name] for name in ends)
    found = Frozen(definition, source, target, taken, given, declared, model, captured)
    infer(found)
    return found


def _embed(definition: Any, captured: dict[str, Any], few: int) -> None:
    """Make constants of tensors from outside; shapes depend on small ones, such as paddings."""
    import tensorflow

    nodes = {f"{node.name}:0": node for node in definition.node}
    for name, value in list(captured.items()):
        if value.dtype in (tensorflow.resource, tensorflow.variant):
            continue
        if value.shape.num_elements() <= few:
            node = nodes[name]
            node.op = "Const"
            node.attr.clear()
            node.attr["dtype"].type = value.dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tensorflow.make_tensor_proto(value.numpy()))
            del captured[name]


def tensor(read: str) -> str:
    """The tensor that a node's definition names: `name` is the first that `name` gives."""
    return read if ":" in read else f"{read}:0"


def node_of(name: str) -> str:
    """The node that gives a tensor."""
    return name.rpartition(":")[0]


def data_inputs(node: Any) -> list[str]:
    """The tensors that a node reads; those that it only waits for are left out."""
    return [tensor(item) for item in node.input if not item.startswith("^")]


def constant(node: Any) -> Any:
    """The array of a `Const` node."""
    from tensorflow.python.framework import tensor_util

    return tensor_util.MakeNdarray(node.attr["value"].tensor)


def _tidy(definition: Any, source: str, target: str) -> tuple[Any, dict[str, str]]:
    """Take the function calls out of a graph's names, and the identities that inlining leaves.

    Args:
        definition: `GraphDef`; changed.
        source, target: the tensors of the input and the output.

    Returns:
        What leads to the output, and the new names of the first tensor of each node and of the
        output.
    """
    from tensorflow.python.framework import graph_util

    ends = {
        f"{node.name}:0": tensor(node.input[0])
        for node in definition.node
        if node.op == "Identity" and LEFTOVER.fullmatch(CALL.sub("", node.name))
    }

    def begin(name: str) -> str:
        while name in ends:
            name = ends[name]
        return name

    for node in definition.node:
        node.attr.pop("_class", None)  # the names of other nodes, for placement alone
        read = [begin(name) for name in data_inputs(node)]
        del node.input[:]
        node.input.extend(read)
    last = begin(target)
    definition = graph_util.extract_sub_graph(definition, [node_of(source), node_of(last)])
    names = _names(definition)
    for node in definition.node:
        node.name = names[node.name]
        for place, name in enumerate(node.input):
            node.input[place] = _renamed(names, name)
    tensors = {f"{old}:0": f"{new}:0" for old, new in names.items()}
    return definition, tensors | {target: _renamed(names, last)}


def _names(definition: Any) -> dict[str, str]:
    """Each node's name without the calls, and not one of `OUTSIDE`, where that is unique."""
    short: dict[str, list[str]] = {}
    for node in definition.node:
        name = OUTSIDE.sub("outside", CALL.sub("", node.name))
        short.setdefault(name, []).append(node.name)
    return {old: new if len(olds) == 1 else old for new, olds in short.items() for old in olds}


def _renamed(names: dict[str, str], name: str) -> str:
    node, _, index = name.rpartition(":")
    return f"{names[node]}:{index}"


def infer(frozen: Frozen) -> None:
    """Fill in shapes and types, and sort the nodes as TensorFlow imports them."""
    import tensorflow

    definition = type(frozen.definition)()
    definition.CopyFrom(frozen.definition)
    source = next(node for node in definition.node if node.name == node_of(frozen.input))
    source.attr["shape"].shape.CopyFrom(tensorflow.TensorShape(frozen.input_shape).as_proto())
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
    graph = tensorflow.Graph()
    with graph.as_default():
        known = placeholders(frozen)
        kept = [node for node in definition.node if f"{node.name}:0" not in known]
        del definition.node[:]
        definition.node.extend(kept)
        tensorflow.graph_util.import_graph_def(definition, input_map=known, name="")
    for operation in graph.get_operations():
        for item in operation.outputs:
            ranked = item.shape.rank is not None
            frozen.shapes[item.name] = tuple(item.shape.as_list()) if ranked else None
            frozen.types[item.name] = item.dtype
    order = [operation.name for operation in graph.get_operations()]
    frozen.nodes = {name: frozen.nodes[name] for name in order}


def placeholders(frozen: Frozen) -> dict[str, Any]:
    """Placeholders in the current graph for what a graph takes from outside, by its tensors."""
    import tensorflow
    from tensorflow.python.ops import handle_data_util

    found = {}
    for name, value in frozen.captured.items():
        made = tensorflow.compat.v1.placeholder(value.dtype, value.shape, name=node_of(name))
        handle_data_util.copy_handle_data(value, made)  # the shape of the variable
        found[name] = made
    return found


def dynamic(frozen: Frozen) -> list[str]:
    """The nodes that compute with the input's numbers and lead to the output, in running order.

    What only reads the shape of a tensor, if that is known, is constant.
    """
    moving = {node_of(frozen.input)}
    found = []
    for name, node in frozen.nodes.items():
        reads = [item for item in data_inputs(node) if node_of(item) in moving]
        if not reads or (node.op in SHAPES and _known(frozen.shapes[reads[0]])):
            continue
        moving.add(name)
        found.append(name)
    needed = {node_of(frozen.output)}
    for name in reversed(found):
        if name in needed:
            needed.update(node_of(item) for item in data_inputs(frozen.nodes[name]))
    return [name for name in found if name in needed]


def _known(shape: "tuple[int | None, ...] | None") -> bool:
    return shape is not None and None not in shape
