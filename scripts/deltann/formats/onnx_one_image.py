"""An ONNX file as the study needs it: it takes one image of a fixed size, and gives one output."""

from pathlib import Path
from typing import Any

from deltann.formats.named_outputs import choose
from deltann.formats.onnx_graph import fix_input, flatten_output, keep_output
from deltann.ours import ours


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
    """
    import onnx

    graph = model.graph
    name = choose({item.name: _sides(item) for item in graph.output}, described)
    batch = _batch(graph)
    before = model.SerializeToString() if batch > 1 else b""
    fix_input(graph, shape)
    keep_output(graph, name)
    flatten_output(graph)
    onnx.save(model, output)
    if before:
        _check_batch(batch, before, output.read_bytes())


def _sides(item: Any) -> list[object]:
    sides = item.type.tensor_type.shape.dim
    return [side.dim_value or side.dim_param or "?" for side in sides]


def _batch(graph: Any) -> int:
    """The batch that a graph fixes; 0 if it is dynamic."""
    sides = graph.input[0].type.tensor_type.shape.dim
    return sides[0].dim_value if sides else 0


def _check_batch(batch: int, before: bytes, after: bytes) -> None:
    """Check that a file made for larger batches takes one image, and answers for one.

    A file that doesn't run as it was is no matter of batches: whoever runs it next says so.
    """
    try:
        count = _answers(after)
        reason = "" if count == 1 else f"it gives {count} answers for one image"
    except _onnxruntime_errors() as error:
        reason = str(error).strip().splitlines()[0]
    if not reason:
        return
    try:
        _answers(before)
    except _onnxruntime_errors():
        return
    raise ValueError(
        f"the file is made for batches of {batch} and doesn't take one image; export the model"
        f" again with a batch of 1 or a dynamic batch ({reason})"
    )


def _answers(model: bytes) -> int:
    """For how many images a model answers when it is given zeros."""
    import numpy as np
    import onnx
    import onnxruntime

    with ours("making images for an ONNX file"):
        declared = onnx.load_from_string(model).graph.input[0].type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(declared.elem_type)
        images = np.zeros([side.dim_value or 1 for side in declared.shape.dim], dtype)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return len(session.run(None, {session.get_inputs()[0].name: images})[0])


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """The classes of ONNX Runtime's errors: they have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    errors = vars(state).values()
    return tuple(x for x in errors if isinstance(x, type) and issubclass(x, Exception))
