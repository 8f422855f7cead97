"""Running a TFLite file so that all its tensors can be read, and parts of it that are cut out."""

import copy
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from deltann.formats.tflite_file import TfliteFile, schema

if TYPE_CHECKING:
    import numpy as np

# Their outputs don't follow from constants alone, though they read nothing else.
STATEFUL = (
    *("VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE", "MULTINOMIAL", "HASHTABLE"),
    *("RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM"),
)


def start(content: bytes, file: TfliteFile, everything: bool) -> Any:
    """The interpreter for a file, with its own kernels and no delegate, which fuses operators.

    Args:
        content: of the file.
        file: the same.
        everything: whether all tensors must still be there after a run.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF if _crashes(file) else plain,
        experimental_preserve_all_tensors=everything,
    )
    interpreter.allocate_tensors()
    return interpreter


def _crashes(file: TfliteFile) -> bool:
    """Whether LiteRT's optimized kernels die: 2.3 does of a depthwise convolution without bias."""
    return any(
        len(item.inputs) < 3 and file.native(item) == "DEPTHWISE_CONV_2D"
        for item in file.graph.operators
    )


def settle(file: TfliteFile, content: bytes) -> Any:
    """Run a file on zeros, for the shapes of its tensors and what follows from constants alone.

    Args:
        file: gets `shapes` and `computed`.
        content: of the same file.

    Returns:
        The interpreter, which keeps all tensors.
    """
    import numpy as np

    interpreter = start(content, file, everything=True)
    for taken in interpreter.get_input_details():
        interpreter.set_tensor(taken["index"], np.zeros(taken["shape"], taken["dtype"]))
    interpreter.invoke()
    for item in interpreter.get_tensor_details():
        if item["index"] < len(file.shapes):  # temporary tensors are behind
            file.shapes[item["index"]] = tuple(int(side) for side in item["shape"])
    for index in fixed(file):
        file.computed[index] = np.array(interpreter.get_tensor(index))
    return interpreter


def fixed(file: TfliteFile) -> list[int]:
    """The tensors that operators make and that are the same for every image."""
    changing, found = set(file.graph.inputs), []
    for item in file.graph.operators:
        native = file.native(item)
        moving = native != "SHAPE" and bool(changing & set(item.inputs))
        if moving or native in STATEFUL:
            changing |= set(item.outputs)
        else:
            found += item.outputs
    return found


def cut(file: TfliteFile, given: Collection[int], wanted: Collection[int]) -> bytes:
    """A file with the operators that lead from some tensors to others; tensors keep their numbers.

    Args:
        file: settled; it isn't changed.
        given: the tensors that are inputs of the part, beside the file's own inputs. Those that
            nothing needs are left out.
        wanted: its outputs.
    """
    part = copy.copy(file)
    part.model, part.graph = copy.copy(file.model), copy.copy(file.graph)
    part.names, part.shapes = list(file.names), list(file.shapes)
    part.graph.tensors = [copy.copy(item) for item in file.graph.tensors]
    kept, needed = _leading(file, set(given), set(wanted))
    part.model.buffers = [schema().BufferT()]
    for index, item in enumerate(part.graph.tensors):
        item.shape, item.shapeSignature, data = list(file.shapes[index]), None, None
        old, item.buffer, item.isVariable = item.buffer, 0, False
        if index in needed and index not in given:
            data = file.model.buffers[old].data
            if index in file.computed:
                data = _bytes(file.computed[index])
        if data is not None and len(data):
            part.model.buffers.append(schema().BufferT(data=data))
            item.buffer = len(part.model.buffers) - 1
    part.graph.operators = [_apart(part, item, given) for item in kept]
    ends = [*given, *(index for index in file.graph.inputs if index not in given)]
    part.graph.inputs = [index for index in ends if index in needed]
    part.graph.outputs = list(wanted)
    part.model.subgraphs = [part.graph, *_called(file, part.model.buffers)]
    part.model.signatureDefs = part.model.metadata = part.model.metadataBuffer = None
    return part.pack()


def _called(file: TfliteFile, buffers: list[Any]) -> list[Any]:
    """The other subgraphs, which operators may call, with their constants among these buffers."""
    found = []
    for graph in file.model.subgraphs[1:]:
        graph = copy.copy(graph)
        graph.tensors = [copy.copy(item) for item in graph.tensors]
        for item in graph.tensors:
            data = file.model.buffers[item.buffer].data
            item.buffer = 0
            if data is not None and len(data):
                buffers.append(schema().BufferT(data=data))
                item.buffer = len(buffers) - 1
        found.append(graph)
    return found


def _leading(file: TfliteFile, given: set[int], wanted: set[int]) -> tuple[list[Any], set[int]]:
    """The operators that wanted tensors need, in order, and the tensors that those read."""
    needed, kept = set(wanted), []
    for item in reversed(file.graph.operators):
        made = (set(item.outputs) & needed) - given - set(file.computed)
        if made:
            kept.append(item)
            needed |= {index for index in item.inputs if index >= 0}
    return kept[::-1], needed


def _apart(part: TfliteFile, operator: Any, given: Collection[int]) -> Any:
    """An operator that writes none of the given tensors, but others that nobody reads."""
    if not set(operator.outputs) & set(given):
        return operator
    changed = copy.copy(operator)
    changed.outputs = [
        part.add_tensor("unread", part.shapes[index], part.dtype(index), scales=part.scales(index))
        if index in given
        else index
        for index in operator.outputs
    ]
    return changed


def _bytes(values: "np.ndarray") -> "np.ndarray":
    import numpy as np

    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)
