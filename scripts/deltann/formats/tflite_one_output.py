"""A TFLite file as the study needs it: with one output.

The list of outputs is shortened in place, and that of signatures emptied; all other bytes stay. The
numbers of the fields are those of TensorFlow's tensorflow/lite/schema/schema.fbs.
"""

import struct
from pathlib import Path
from typing import Any

from deltann.formats.named_outputs import choose
from deltann.ours import ours

# The places of fields in the tables Model and SubGraph.
_SUBGRAPHS, _SIGNATURES, _OUTPUTS = 2, 7, 2


def save(path: Path, described: dict, output: Path) -> None:
    """Copy a `.tflite` file, with the output that the config names as its only one.

    Args:
        path: the user's file.
        described: the model's entry in the config.
        output: the file to write.

    Raises:
        ValueError: the config names no output and there are several, or it names an unknown one.
    """
    from ai_edge_litert.interpreter import Interpreter

    given = Interpreter(model_path=str(path), num_threads=1).get_output_details()
    names = output_names(given)
    shapes = {name: item["shape"] for name, item in zip(names, given, strict=True)}
    place = names.index(choose(shapes, described))
    data = path.read_bytes()
    if len(names) == 1:
        output.write_bytes(data)
        return
    with ours("keeping one output of a TFLite file"):
        output.write_bytes(keep(data, place))
    before = answers(path)
    with ours("checking a TFLite file with one of its outputs"):
        if answers(output) != [before[place]]:
            raise ValueError(f"output {names[place]!r} has other values than before")


def output_names(given: list[dict]) -> list[str]:
    """What the config calls the outputs: their names; 0, 1, … if two have the same one.

    Args:
        given: the interpreter's details of each.
    """
    names = [item["name"] for item in given]
    return names if len(set(names)) == len(names) else list(map(str, range(len(names))))


def keep(data: bytes, place: int) -> bytes:
    """The content of a `.tflite` file, with only the output at a place, and without signatures.

    Signatures name outputs too, and no runtime of ours needs them.
    """
    from flatbuffers import encode, packer, table

    changed = bytearray(data)
    model = table.Table(changed, encode.Get(packer.uoffset, changed, 0))
    subgraphs = model.Vector(model.Offset(_offset(_SUBGRAPHS)))
    main = table.Table(changed, model.Indirect(subgraphs))
    outputs = main.Vector(main.Offset(_offset(_OUTPUTS)))
    (chosen,) = struct.unpack_from("<i", changed, outputs + 4 * place)
    struct.pack_into("<Ii", changed, outputs - 4, 1, chosen)
    signatures = model.Offset(_offset(_SIGNATURES))
    if signatures:
        struct.pack_into("<I", changed, model.Vector(signatures) - 4, 0)
    return bytes(changed)


def _offset(place: int) -> int:
    """Where a table's index has the field of this place."""
    return 4 + 2 * place


def answers(path: Path) -> list[bytes]:
    """All outputs of a file for one image, always the same, as bytes.

    The plain kernels run: XNNPACK may fuse other operators if fewer outputs are asked for.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(path), experimental_op_resolver_type=plain, num_threads=1)
    interpreter.allocate_tensors()
    for taken in interpreter.get_input_details():
        interpreter.set_tensor(taken["index"], _image(taken, np.random.default_rng(0)))
    interpreter.invoke()
    given = interpreter.get_output_details()
    return [interpreter.get_tensor(item["index"]).tobytes() for item in given]


def _image(taken: dict, random: Any) -> Any:
    """Noise of a tensor's shape and type: from 0 to 1, or whole numbers from 0 to 127."""
    import numpy as np

    whole = np.issubdtype(taken["dtype"], np.integer)
    return (random.random(taken["shape"]) * (127 if whole else 1)).astype(taken["dtype"])
