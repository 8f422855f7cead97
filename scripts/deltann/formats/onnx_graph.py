"""Changes to an ONNX graph that keep what it computes."""


def number_tensors(graph) -> None:
    """Name the tensors of an `onnx.GraphProto` by number.

    Converters name modules and layers after tensors. PyTorch takes a dot in a module's name for a
    module inside another and can't read a `;` again that it wrote into a `.pt2` file; TensorFlow
    refuses a scope with a `;`, which TFLite puts into the names of what it fused.
    """
    names: dict[str, str] = {"": ""}  # an optional input that is left out

    def renamed(name: str) -> str:
        return names.setdefault(name, f"tensor_{len(names)}")

    for item in [*graph.input, *graph.initializer]:
        item.name = renamed(item.name)
    for node in graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
    for item in [*graph.output, *graph.value_info]:
        item.name = renamed(item.name)


def fix_batch(graph) -> None:
    """Make the first dimension of an `onnx.GraphProto`'s input 1, the study's batch."""
    first = graph.input[0].type.tensor_type.shape.dim[0]
    first.Clear()
    first.dim_value = 1
