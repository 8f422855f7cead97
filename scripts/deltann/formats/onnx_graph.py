"""Changes to an ONNX graph that keep what it computes for one image."""

from typing import Any

from deltann.formats.onnx_names import read_by
from deltann.ours import ours


def drop_initialized_inputs(model: Any) -> None:
    """Remove the inputs of an `onnx.ModelProto` that have values in the file.

    IR version 3 lists all weights among the inputs. From version 4 on they needn't be there.
    """
    with ours("removing an ONNX graph's inputs that have values"):
        initialized = {item.name for item in model.graph.initializer}
        inputs = [item for item in model.graph.input if item.name not in initialized]
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        model.ir_version = max(model.ir_version, 4)


def forget_other_files(graph: Any) -> None:
    """Clear the field by which an `onnx.GraphProto`'s weights, once read, tell where they were.

    onnx2keras counts a tensor's fields, and takes such a scalar for something else.
    """
    with ours("clearing the location of an ONNX graph's weights"):
        for tensor in graph.initializer:
            tensor.ClearField("data_location")


def fix_batch(graph: Any) -> None:
    """Set the first dimension of an `onnx.GraphProto`'s input to 1, the study's batch size."""
    with ours("setting an ONNX graph's batch to 1"):
        first = graph.input[0].type.tensor_type.shape.dim[0]
        first.Clear()
        first.dim_value = 1


def fix_input(graph: Any, shape: tuple[int, ...]) -> None:
    """Set the batch of an `onnx.GraphProto`'s first input to 1, and its dynamic sides to `shape`'s.

    Sides that the file has fixed stay as they are.
    """
    with ours("fixing the shape of an ONNX graph's input"):
        sides = graph.input[0].type.tensor_type.shape.dim
        if len(sides) != len(shape):
            return
        batch = sides[0].dim_value
        for number, (side, size) in enumerate(zip(sides, shape, strict=True)):
            if number == 0 or side.dim_value <= 0:
                side.Clear()
                side.dim_value = size
        del graph.value_info[:]  # they may hold the batch that the file had
        for item in graph.output:
            for side in item.type.tensor_type.shape.dim[:1]:
                if side.dim_value == batch or side.dim_value <= 0:
                    side.Clear()
                    side.dim_value = 1


def keep_output(graph: Any, name: str) -> None:
    """Remove the outputs of an `onnx.GraphProto` but one, and the nodes that only they need."""
    with ours("removing an ONNX graph's other outputs"):
        kept = [item for item in graph.output if item.name == name]
        del graph.output[:]
        graph.output.extend(kept)
        needed, nodes = {name}, []  # the nodes are sorted
        for node in reversed(graph.node):
            if (needed - {""}) & set(node.output):
                needed.update(read_by(node))
                nodes.append(node)
        constants = [item for item in graph.initializer if item.name in needed]
        del graph.node[:], graph.initializer[:]
        graph.node.extend(reversed(nodes))
        graph.initializer.extend(constants)


def flatten_output(graph: Any) -> None:
    """Make the only output of an `onnx.GraphProto` (1, N) if it is (1, N, 1, 1) or (1, 1, 1, N)."""
    import onnx

    with ours("flattening an ONNX graph's output"):
        declared = graph.output[0]
        sides = [side.dim_value for side in declared.type.tensor_type.shape.dim]
        if len(sides) <= 2 or 0 in sides[1:] or sum(side > 1 for side in sides[1:]) > 1:
            return
        taken = {name for node in graph.node for name in [*node.input, *node.output]}
        flat = f"{declared.name}_flat"
        while flat in taken:
            flat += "_"
        graph.node.append(onnx.helper.make_node("Flatten", [declared.name], [flat], axis=1))
        kind, classes = declared.type.tensor_type.elem_type, max(sides[1:])
        del graph.output[:]
        graph.output.append(onnx.helper.make_tensor_value_info(flat, kind, [1, classes]))
