"""Changes to an ONNX graph that keep what it computes."""

from typing import Any


def number_tensors(graph: Any) -> None:
    """Rename the tensors of an `onnx.GraphProto` to `tensor_1`, `tensor_2`, …

    Converters name modules and layers after tensors. In PyTorch a dot separates nested modules, and
    a `.pt2` file with a `;` in a name can't be loaded. TensorFlow refuses a scope with a `;`, which
    TFLite puts into the names of fused operators.
    """
    names: dict[str, str] = {"": ""}  # an omitted optional input

    def renamed(name: str) -> str:
        return names.setdefault(name, f"tensor_{len(names)}")

    for item in [*graph.input, *graph.initializer]:
        item.name = renamed(item.name)
    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
    for item in [*graph.output, *graph.value_info]:
        item.name = renamed(item.name)


def drop_initialized_inputs(model: Any) -> None:
    """Remove the inputs of an `onnx.ModelProto` that have values in the file.

    IR version 3 lists all weights among the inputs. From version 4 on they needn't be there.
    """
    initialized = {item.name for item in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in initialized]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)


def fix_batch(graph: Any) -> None:
    """Set the first dimension of an `onnx.GraphProto`'s input to 1, the study's batch size."""
    first = graph.input[0].type.tensor_type.shape.dim[0]
    first.Clear()
    first.dim_value = 1
