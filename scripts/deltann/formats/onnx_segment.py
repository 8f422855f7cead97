"""Some operators of an ONNX model as a model of their own: for a minimal reproducer."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from deltann.formats import segments
from deltann.formats.onnx_names import read_by
from deltann.formats.onnx_parts import Parts, load
from deltann.formats.onnx_view import View
from deltann.ours import ours


def extract(model_file: Path, operators: Collection[str], output: Path) -> list[str]:
    """Write a model of these operators alone.

    Its inputs are the tensors that they read from others, with their shapes for one image. Its
    outputs are those that others read, or the model's. Constants are kept as the file has them,
    also quantized; those that follow from a shape are written as numbers.

    Args:
        model_file: the whole model.
        operators: their names, as the tracer gives them.
        output: the file to write.

    Returns:
        The names of its inputs.

    Raises:
        ValueError: the model has no such operator, or the file computes something else.
    """
    import onnx

    model = load(model_file)
    view = View(model)
    calls = {
        view.names[number]: (view.read(number), [*filter(None, view.nodes[number].output)])
        for number in view.path
    }
    inputs, outputs = segments.ends(calls, operators, view.output)
    with ours("cutting operators out of an ONNX graph"):
        nodes = [view.nodes[number] for number in view.path if view.names[number] in operators]
        segment = _segment(model, view, nodes, inputs, outputs)
    onnx.checker.check_model(segment)
    tensors = view.parts.run({view.input: view.image()}, [*inputs, *outputs])
    given = Parts(segment).run({name: tensors[name] for name in inputs}, outputs)
    segments.check(model_file, {name: tensors[name] for name in outputs}, [*given.values()])
    onnx.save(segment, output)
    return inputs


def _segment(
    model: Any, view: View, nodes: Sequence[Any], inputs: Sequence[str], outputs: Sequence[str]
) -> Any:
    """A model of some nodes."""
    import onnx

    made = {name for node in nodes for name in node.output}
    read = dict.fromkeys(name for node in nodes for name in read_by(node) if name)
    before, constants = _constants(model, view, [name for name in read if name not in made])
    segment = onnx.ModelProto(ir_version=max(model.ir_version, 4))
    segment.opset_import.extend(model.opset_import)
    segment.graph.name = "segment"
    segment.graph.node.extend([*before, *nodes])
    segment.graph.initializer.extend(constants)
    segment.graph.input.extend(_info(view, name) for name in inputs)
    segment.graph.output.extend(_info(view, name) for name in outputs)
    return segment


def _constants(model: Any, view: View, names: list[str]) -> tuple[list[Any], list[Any]]:
    """The nodes and initializers that make constants.

    Args:
        model: with the values of its initializers.
        view: of it.
        names: of tensors; those that depend on the image are passed over.
    """
    from onnx import numpy_helper

    computed = {name for name in names if view.constant(name) is not None}
    kept = [name for name in computed if view.input not in view.parts.leading_to([name], ())[1]]
    nodes, read = view.parts.leading_to(kept, ())
    constants = [item for item in model.graph.initializer if item.name in read]
    have = {item.name for item in constants}
    for name in sorted((read | computed) - have):
        values = view.parts.constants.get(name)
        if values is None and name not in kept:
            values = view.constant(name)
        if values is not None:  # else a node makes it
            constants.append(numpy_helper.from_array(values, name))
    return [view.nodes[number] for number in nodes], constants


def _info(view: View, name: str) -> Any:
    """What a graph says of its input or output."""
    import numpy as np
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(view.dtype(name)))
    return helper.make_tensor_value_info(name, kind, view.shape(name))
