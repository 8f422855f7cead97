"""What a TFLite file says of itself, with its metadata where it has some.

The metadata is a flatbuffer in the file, whose schema is TensorFlow's
tensorflow/lite/schema and github.com/tensorflow/tflite-support, metadata_schema.fbs.
"""

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from deltann.formats.descriptions import Description, most_common, only_input
from deltann.formats.tflite_one_output import output_names

BUFFER = b"TFLITE_METADATA"
# The places of fields in tables of the metadata's schema, and the union's member with numbers.
_SUBGRAPHS, _INPUTS, _PROCESS_UNITS, _OPTIONS_TYPE, _OPTIONS, _MEAN, _STD = 3, 2, 4, 0, 1, 0, 1
_NORMALIZATION = 1
# The places of fields in the model's own schema.
_METADATA, _NAME, _BUFFER, _BUFFERS, _DATA = 6, 0, 1, 4, 0
BYTE = 255.0


def describe(path: Path) -> Description:
    """See `descriptions.Describer`."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    only_input([item["name"] for item in interpreter.get_input_details()])
    (taken,) = interpreter.get_input_details()
    scale, zero_point = taken["quantization"]
    mean, std = normalisation(path.read_bytes())
    sizes: Counter[str] = Counter()
    for item in interpreter.get_tensor_details():
        if len(item["shape"]) > 1 and item["name"]:
            sizes[np.dtype(item["dtype"]).name] += int(prod(item["shape"]))
    given = interpreter.get_output_details()
    return Description(
        input_name=taken["name"],
        shape=_sides(taken),
        dtype=np.dtype(taken["dtype"]).name,
        outputs=dict(zip(output_names(given), map(_sides, given), strict=True)),
        scale=float(scale) or None,
        zero_point=int(zero_point),
        precision=most_common(sizes),
        written_by="",
        mean=mean,
        std=std,
    )


def _sides(details: dict) -> tuple[int, ...]:
    """A tensor's shape; -1 in the signature is an open side."""
    signature = details.get("shape_signature", details["shape"])
    return tuple(max(int(side), 0) for side in signature)


def normalisation(data: bytes) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation in a file's metadata, for values from 0 to 1; empty without.

    The metadata has them for pixels from 0 to 255.

    Args:
        data: the content of a `.tflite` file.
    """
    for table in _metadata(data):
        for subgraph in _tables(table, _SUBGRAPHS)[:1]:
            for tensor in _tables(subgraph, _INPUTS)[:1]:
                for unit in _tables(tensor, _PROCESS_UNITS):
                    kind = unit.Offset(4 + 2 * _OPTIONS_TYPE)
                    if kind and unit.Bytes[unit.Pos + kind] == _NORMALIZATION:
                        options = _union(unit, _OPTIONS)
                        return _scaled(options, _MEAN), _scaled(options, _STD)
    return (), ()


def _scaled(options: Any, place: int) -> tuple[float, ...]:
    return tuple(value / BYTE for value in _floats(options, place))


def _metadata(data: bytes) -> list[Any]:
    """The table of the metadata, or none."""
    model = _root(data)
    for entry in _tables(model, _METADATA):
        place, buffer = (entry.Offset(4 + 2 * number) for number in (_NAME, _BUFFER))
        if place and entry.String(entry.Pos + place) == BUFFER:
            from flatbuffers import number_types

            number = entry.Get(number_types.Uint32Flags, entry.Pos + buffer) if buffer else 0
            holder = _tables(model, _BUFFERS)[number]
            offset = holder.Offset(4 + 2 * _DATA)
            start, length = holder.Vector(offset), holder.VectorLen(offset)
            return [_root(data[start : start + length])]
    return []


def _root(data: bytes) -> Any:
    from flatbuffers import encode, packer, table

    return table.Table(bytearray(data), encode.Get(packer.uoffset, data, 0))


def _tables(parent: Any, place: int) -> list[Any]:
    """The tables in a table's field, which is a vector of tables."""
    from flatbuffers import table

    offset = parent.Offset(4 + 2 * place)
    if not offset:
        return []
    start = parent.Vector(offset)
    places = [start + 4 * number for number in range(parent.VectorLen(offset))]
    return [table.Table(parent.Bytes, parent.Indirect(item)) for item in places]


def _union(parent: Any, place: int) -> Any:
    from flatbuffers import table

    return table.Table(parent.Bytes, parent.Indirect(parent.Pos + parent.Offset(4 + 2 * place)))


def _floats(parent: Any, place: int) -> list[float]:
    from flatbuffers import number_types

    offset = parent.Offset(4 + 2 * place)
    if not offset:
        return []
    start = parent.Vector(offset)
    return [
        parent.Get(number_types.Float32Flags, start + 4 * number)
        for number in range(parent.VectorLen(offset))
    ]
