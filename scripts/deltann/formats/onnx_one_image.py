"""An ONNX file as the study needs it: it takes one image of a fixed size, and gives one output."""

from pathlib import Path
from typing import Any

from deltann.formats.named_outputs import choose
from deltann.formats.onnx_graph import fix_input, flatten_output, forget_other_files, keep_output
from deltann.formats.onnx_spot_check import unchanged


def save(model: Any, shape: tuple[int, ...], described: dict, output: Path) -> None:
    """Save an `onnx.ModelProto` with one input for one image and with one output.

    Args:
        model: it is changed.
        shape: that of the input by the config, with a batch of 1.
        described: the model's entry in the config.
        output: the file to write.

    Raises:
        ValueError: the config names no output and there are several, or it names an unknown one; or
            the model was made for larger batches and doesn't take one image.
        Fault: a change of ours changed an answer, see `onnx_spot_check`.
    """
    import onnx

    graph = model.graph
    name = choose({item.name: _sides(item) for item in graph.output}, described)
    with unchanged(model, shape):
        forget_other_files(graph)
        keep_output(graph, name)
    with unchanged(model, shape):
        fix_input(graph, shape)
    with unchanged(model):
        flatten_output(graph)
    onnx.save(model, output)


def _sides(item: Any) -> list[object]:
    sides = item.type.tensor_type.shape.dim
    return [side.dim_value or side.dim_param or "?" for side in sides]
