"""Changes to an ONNX graph that keep what it computes."""

from typing import Any

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


def fix_batch(graph: Any) -> None:
    """Set the first dimension of an `onnx.GraphProto`'s input to 1, the study's batch size."""
    with ours("setting an ONNX graph's batch to 1"):
        first = graph.input[0].type.tensor_type.shape.dim[0]
        first.Clear()
        first.dim_value = 1
