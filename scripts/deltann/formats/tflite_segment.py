"""Some operators of a TFLite file as a file of their own: for a minimal reproducer."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats import segments
from deltann.formats.tflite_compact import drop_tensors
from deltann.formats.tflite_cut import cut, fixed, settle, start
from deltann.formats.tflite_file import ABSENT, TfliteFile
from deltann.formats.tflite_operators import describe
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np


def extract(model_file: Path, operators: Collection[str], output: Path) -> list[str]:
    """Write a file of these operators alone.

    Its inputs are the tensors that they read from others, in the file's own types: quantized
    tensors stay quantized. Its outputs are those that others read, or the file's. Shapes are those
    for one image. Constants are kept as the file has them; those that follow from others are
    written as numbers.

    Args:
        model_file: the whole model.
        operators: their names, as the tracer gives them.
        output: the file to write.

    Returns:
        The names of its inputs in the whole model.

    Raises:
        ValueError: the model has no such operator, or the file computes something else.
    """
    content = Path(model_file).read_bytes()
    file = TfliteFile(content)
    interpreter = settle(file, content)
    with ours("reading the operators of a TFLite file"):
        calls = _calls(file)
    inputs, outputs = segments.ends(calls, operators, file.graph.outputs[0])
    with ours("cutting operators out of a TFLite file"):
        part = TfliteFile(cut(file, inputs, outputs))
        drop_tensors(part)
        content = part.pack()
    tensors = _run(interpreter, [*inputs, *outputs])
    expected = {file.names[index]: tensors[index] for index in outputs}
    segments.check(model_file, expected, _answers(content, [tensors[index] for index in inputs]))
    output.write_bytes(content)
    return [file.names[index] for index in inputs]


def _calls(file: TfliteFile) -> dict[str, tuple[list[int], list[int]]]:
    """The tensors that each operator of a settled file reads and writes, by its name."""
    still = {ABSENT, *fixed(file)}
    calls = {}
    for item in describe(file):
        operator = item.node.operator
        reads = [i for i in operator.inputs if i not in still and file.stored(i) is None]
        calls[item.operator.name] = reads, operator.outputs
    return calls


def _run(interpreter: Any, wanted: list[int]) -> "dict[int, np.ndarray]":
    """Tensors of a file for a test image, by their numbers, in the file's own types."""
    import numpy as np

    for taken in interpreter.get_input_details():
        image = spot_check.image(tuple(taken["shape"]), np.dtype(taken["dtype"]).name)
        interpreter.set_tensor(taken["index"], image)
    interpreter.invoke()
    return {index: np.array(interpreter.get_tensor(index)) for index in wanted}


def _answers(content: bytes, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
    """All outputs of a file."""
    interpreter = start(content, TfliteFile(content), everything=False)
    for taken, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(taken["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(item["index"]) for item in interpreter.get_output_details()]
