"""OpenVINO's IR, an `.xml` and a `.bin` file, in one tar; and the number types at its ends.

An IR has no place for a scale and a zero point beside an input. If a graph takes whole numbers and
all that it does with them is to turn them into real numbers, it tells the input's scale and zero
point; likewise for an output.
"""

import re
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from deltann.formats import folder_tar
from deltann.formats.tensor_types import TensorType, whole
from deltann.ours import ours

GRAPH, WEIGHTS = "model.xml", "model.bin"
# Operators that move numbers and don't compute.
MOVES = (
    *("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Pad", "Broadcast", "Tile", "Gather"),
    *("Slice", "StridedSlice", "Split", "VariadicSplit", "DepthToSpace", "SpaceToDepth"),
)
# What OpenVINO calls a node without a name: its type, and a number that counts the process's nodes.
MADE_UP = re.compile(r"[A-Z][A-Za-z]*_\d+")
PARAMETERS = "conversion_parameters"


def start() -> Any:
    """Import OpenVINO, without its telemetry: it would send each conversion to Google Analytics."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def read(model_file: Path) -> Any:
    """The `openvino.Model` in a tar.

    Raises:
        KeyError: the tar has no such files.
    """
    openvino = start()
    with tarfile.open(model_file) as archive:
        graph, weights = (archive.extractfile(name).read() for name in (GRAPH, WEIGHTS))  # type: ignore[union-attr]
    return openvino.Core().read_model(graph, weights)


def write(model: Any, output: Path, compress_to_fp16: bool = False) -> None:
    """Write an `openvino.Model` that takes one image, always the same bytes.

    Args:
        model: any batch that its first input leaves open becomes 1.
        output: the tar to write.
        compress_to_fp16: whether to round float32 weights to float16, OpenVINO's own default.
    """
    openvino = start()
    with ours("fixing the batch and the names of an OpenVINO model"):
        shape = model.inputs[0].get_partial_shape()
        if shape.rank.is_static and shape.rank.get_length() and shape[0].is_dynamic:
            shape[0] = 1
            model.reshape({model.inputs[0]: shape})
        _name_nodes(model)
        if model.has_rt_info(PARAMETERS):  # has the path that the model was read from
            del model.get_rt_info()[PARAMETERS]
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        openvino.save_model(model, str(Path(folder, GRAPH)), compress_to_fp16=compress_to_fp16)
        folder_tar.tar_folder(Path(folder), output)


def _name_nodes(model: Any) -> None:
    """Give the model and each node a name that doesn't depend on what the process did before."""
    if re.fullmatch(r"Model\d+", model.get_friendly_name()):
        model.set_friendly_name("Model")
    taken: set[str] = set()
    for number, node in enumerate(model.get_ordered_ops()):
        name = node.get_friendly_name()
        if MADE_UP.fullmatch(name) or name in taken:
            name = f"{node.get_type_name()}_{number}"
            node.set_friendly_name(name)
        taken.add(name)


def dtype(value: Any) -> str:
    """The type of an `openvino.Output`'s numbers as NumPy names it, or OpenVINO's own name."""
    name = value.get_element_type().get_type_name()
    words = {"f": "float", "bf": "bfloat", "i": "int", "u": "uint"}
    found = re.fullmatch(r"(b?f|[iu])(\d+)", name)
    return words[found[1]] + found[2] if found else name


def input_type(model: Any) -> TensorType:
    """The type of the first input of an `openvino.Model`."""
    with ours("reading the type of an OpenVINO model's input"):
        declared = model.inputs[0]
        kind = dtype(declared)
        if not whole(kind):
            return TensorType(kind)
        found = {_from_whole(port) for port in _readers(declared)}
        return TensorType(kind, *(found.pop() or ()) if len(found) == 1 else ())


def output_type(model: Any) -> TensorType:
    """The type of the first output of an `openvino.Model`."""
    with ours("reading the type of an OpenVINO model's output"):
        declared = model.outputs[0]
        kind = dtype(declared)
        value = declared.get_node().input_value(0)
        while whole(kind) and value.get_node().get_type_name() in (*MOVES, "Convert"):
            value = value.get_node().input_value(0)
        return TensorType(kind, *(_to_whole(value.get_node()) or () if whole(kind) else ()))


def _readers(value: Any) -> list[Any]:
    """The ports that read an output, behind nodes that only move its numbers or widen them."""
    found = []
    for port in value.get_target_inputs():
        node = port.get_node()
        behind = node.get_type_name() in (*MOVES, "Convert") and port.get_index() == 0
        found += _readers(node.output(0)) if behind else [port]
    return found


def _from_whole(port: Any) -> tuple[float, int] | None:
    """Scale and zero point of what turns whole numbers into real ones; None if it has more."""
    node, zero_points = port.get_node(), [0.0]
    if node.get_type_name() == "FakeQuantize":
        return _scale(*_numbers(node, 1, 2, 3, 4))
    if node.get_type_name() == "Subtract":
        zero_points = _numbers(node, 1)
        readers = [item.get_node() for item in node.output(0).get_target_inputs()]
        node = readers[0] if len(readers) == 1 else node
    scales = _numbers(node, 1) if node.get_type_name() == "Multiply" else []
    return (scales[0], round(zero_points[0])) if scales and zero_points else None


def _to_whole(node: Any) -> tuple[float, int] | None:
    """Scale and zero point of a FakeQuantize that gives whole numbers; None of other nodes."""
    if node.get_type_name() != "FakeQuantize":
        return None
    low, high, out_low, out_high = _numbers(node, 1, 2, 3, 4) or (0.0, 0.0, 0.0, 0.0)
    return _scale(out_low, out_high, low, high)


def _scale(low: float = 0, high: float = 0, real_low: float = 0, real_high: float = 0) -> Any:
    """Scale and zero point, by two whole numbers and what they stand for."""
    if high == low or real_high == real_low:
        return None
    scale = (real_high - real_low) / (high - low)
    return scale, round(low - real_low / scale)


def _numbers(node: Any, *ports: int) -> list[float]:
    """The one number of each constant at these ports; empty if one has more, or isn't constant."""
    values = []
    for port in ports:
        source = node.input_value(port).get_node()
        while source.get_type_name() == "Convert":
            source = source.input_value(0).get_node()
        if source.get_type_name() != "Constant" or source.get_data().size != 1:
            return []
        values.append(float(source.get_data().item()))
    return values
