"""Some operators of a SavedModel as a SavedModel of their own: for a minimal reproducer."""

import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import folder_tar, segments, tensorflow_frozen
from deltann.formats.signatures import SERVING
from deltann.formats.tensorflow_frozen import SHAPES, Frozen, data_inputs, node_of
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np

    from deltann.formats.tensorflow_eager import Execution


def extract(model_file: Path, operators: Collection[str], output: Path) -> list[str]:
    """Write a tarred SavedModel of these operators alone.

    Its serving signature takes `input00`, `input01` and so on: the tensors that they read from
    others, for batches as the model takes them. It gives `output00` and so on: those that others
    read, or the model's. Variables become constants. The nodes that make constants, such as
    shapes, are kept.

    Args:
        model_file: the tar of the whole model.
        operators: names of nodes, as the tracer gives them.
        output: the tar to write.

    Returns:
        The names of its inputs in the whole model.

    Raises:
        ValueError: the model has no such node, or the file computes something else.
    """
    from deltann.formats.tensorflow_eager import Execution

    frozen = tensorflow_frozen.read(model_file, few=sys.maxsize)
    execution = Execution(frozen)
    with ours("reading the nodes of a SavedModel"):
        calls = _calls(execution)
    inputs, outputs = segments.ends(calls, operators, frozen.output)
    image = spot_check.image(frozen.input_shape, frozen.declared.dtype.name)
    tensors = execution.run(image, {*inputs, *outputs}, {})
    given = [tensors[name] for name in inputs]
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved = Path(folder, "saved")
        with ours("cutting nodes out of a SavedModel"):
            definition = _definition(execution, operators, inputs, outputs)
        _write(definition, _specs(frozen, inputs, given), inputs, outputs, saved)
        answers = _answers(saved, given)
        segments.check(model_file, {name: tensors[name] for name in outputs}, answers)
        folder_tar.tar_folder(saved, output)
    return inputs


def _calls(execution: "Execution") -> dict[str, tuple[list[str], list[str]]]:
    """The tensors that each node that depends on the image reads and writes, by its name."""
    nodes = execution.frozen.nodes
    moving = {*execution.moving, node_of(execution.frozen.input)}
    return {
        name: (
            [item for item in data_inputs(nodes[name]) if node_of(item) in moving],
            execution.outputs(name),
        )
        for name in execution.moving
    }


def _definition(
    execution: "Execution",
    operators: Collection[str],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> Any:
    """`GraphDef` of the nodes that lead from some tensors to others.

    Constants are written in place of variables that are read, and of shapes of other tensors.
    """
    frozen = execution.frozen
    there = {*inputs, *(item for name in operators for item in execution.outputs(name))}
    found: dict[str, Any] = {}
    waiting = [*outputs]
    while waiting:
        tensor = waiting.pop()
        name = node_of(tensor)
        if tensor in inputs or name in found:
            continue
        node = frozen.nodes[name]
        reads = data_inputs(node)
        shape = node.op in SHAPES and name not in operators and not there.issuperset(reads)
        if shape or not frozen.captured.keys().isdisjoint(reads):
            found[name] = _constant(execution, name)
        else:
            found[name] = node
            waiting += reads
    definition = type(frozen.definition)()
    definition.library.CopyFrom(frozen.definition.library)
    definition.versions.CopyFrom(frozen.definition.versions)
    definition.node.extend(found[name] for name in frozen.nodes if name in found)
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
    return definition


def _constant(execution: "Execution", name: str) -> Any:
    """A `Const` node of the first tensor of a node that doesn't depend on the image."""
    import tensorflow

    value = execution.constant(f"{name}:0")
    node = tensorflow.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = value.dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tensorflow.make_tensor_proto(value.numpy()))
    return node


def _specs(frozen: Frozen, names: Sequence[str], values: "Sequence[np.ndarray]") -> list[Any]:
    """What the signature says of its inputs.

    Args:
        names: of tensors.
        values: the same for one image. The graph may leave the first axis open.
    """
    import tensorflow

    with tensorflow.Graph().as_default():
        image = tensorflow.compat.v1.placeholder(frozen.declared.dtype, frozen.declared.shape)
        known = {frozen.input: image} | tensorflow_frozen.placeholders(frozen)
        tensors = tensorflow.graph_util.import_graph_def(
            frozen.definition, input_map=known, return_elements=[*names]
        )
    return [
        tensorflow.TensorSpec(
            (None if tensor.shape.rank is None else tensor.shape[0], *value.shape[1:]),
            tensor.dtype,
            name,
        )
        for tensor, value, name in zip(tensors, values, _named("input", names), strict=True)
    ]


def _named(word: str, tensors: Sequence[str]) -> list[str]:
    """The signature's names of some tensors: a SavedModel sorts them."""
    return [f"{word}{place:02}" for place in range(len(tensors))]


def _write(
    definition: Any, specs: list[Any], inputs: Sequence[str], outputs: Sequence[str], folder: Path
) -> None:
    """Write a graph as a SavedModel."""
    import tensorflow

    @tensorflow.function(input_signature=specs)
    def serve(*tensors: Any) -> dict[str, Any]:
        made = tensorflow.graph_util.import_graph_def(
            definition,
            input_map=dict(zip(inputs, tensors, strict=True)),
            return_elements=[*outputs],
            name="",
        )
        return dict(zip(_named("output", outputs), made, strict=True))

    tensorflow.saved_model.save(tensorflow.Module(), str(folder), signatures={SERVING: serve})


def _answers(folder: Path, inputs: "Sequence[np.ndarray]") -> "list[np.ndarray]":
    """All outputs of a SavedModel."""
    import tensorflow

    model = tensorflow.saved_model.load(str(folder))
    names = sorted(model.signatures[SERVING].structured_input_signature[1])
    tensors = map(tensorflow.constant, inputs)
    given = model.signatures[SERVING](**dict(zip(names, tensors, strict=True)))
    return [given[name].numpy() for name in sorted(given)]
