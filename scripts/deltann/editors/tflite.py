"""Changes of TFLite files, written into the flatbuffer by the classes of its schema.

Parameters are set first. Then operators are inserted, connected and taken out, in the order given.
At the end attributes are set, all those of one operator together.

What TFLite has no word for becomes several operators if possible: pads that are neither SAME nor
VALID, an activation that can't be fused, an average with another divisor, nearest neighbours by
another rule, a softmax over another axis.

New operators in a quantized file run in float32, between a DEQUANTIZE and a QUANTIZE with the
scales of the tensor that they follow. Those that only move numbers take quantized ones.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deltann.edits import (
    Bypass,
    Edit,
    Impossible,
    Insert,
    Reconnect,
    Replace,
    SetAttribute,
    SetParameter,
)
from deltann.formats.tflite_attributes import set_attributes
from deltann.formats.tflite_compact import drop_operators, drop_tensors, leading
from deltann.formats.tflite_cut import settle
from deltann.formats.tflite_editing import Editing
from deltann.formats.tflite_file import TfliteFile
from deltann.formats.tflite_parameters import set_parameter
from deltann.formats.tflite_replace import replace

ENVIRONMENT = "tflite"


def apply(model_file: Path, edits: Sequence[Edit], output: Path) -> None:
    """See `deltann.edits.EditorModule`.

    Raises:
        Impossible: also if LiteRT can't run the edited file.
    """
    content = Path(model_file).read_bytes()
    file = TfliteFile(content)
    settle(file, content)
    ends = _ends(file)
    useful = leading(file)
    others = {id(item) for item in file.graph.operators} - useful
    editing = Editing(file)
    for edit in edits:
        if isinstance(edit, SetParameter):
            set_parameter(editing, edit)
    attributes: dict[str, dict[str, Any]] = {}
    for edit in edits:
        if isinstance(edit, SetAttribute):
            attributes.setdefault(edit.operator, {})[edit.attribute] = edit.value
        elif isinstance(edit, Bypass):
            editing.bypass(edit)
        elif isinstance(edit, Reconnect):
            editing.reconnect(edit)
        elif isinstance(edit, Insert):
            editing.insert(edit)
        elif isinstance(edit, Replace):
            replace(editing, edit)
    for operator, changes in attributes.items():
        set_attributes(editing, operator, changes)
    drop_operators(file, others)
    editing.ordered()
    drop_tensors(file)
    if _ends(file) != ends:
        raise Impossible("the input or the output would have another name or type")
    Path(output).write_bytes(_running(file))


def _ends(file: TfliteFile) -> list[tuple[str, str]]:
    """The names and types of the input and the output."""
    ends = (*file.graph.inputs, *file.graph.outputs)
    return [((file.tensors[index].name or b"").decode(), file.dtype(index)) for index in ends]


def _running(file: TfliteFile) -> bytes:
    """The content of a file that LiteRT has run, with the shapes that its tensors have there.

    Raises:
        Impossible: LiteRT refuses it.
    """
    try:
        settle(file, file.pack())
    except (RuntimeError, ValueError) as error:
        raise Impossible(f"LiteRT refuses the edited file: {error}") from error
    for item, shape in zip(file.tensors, file.shapes, strict=True):
        item.shape, sides = list(shape), item.shapeSignature
        if sides is not None and len(sides) != len(shape):
            item.shapeSignature = None
    file.computed.clear()
    return file.pack()
