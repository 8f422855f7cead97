"""A TFLite file of two outputs, made with TVM's environment and read with that of TFLite.

`two_tflite_outputs.py make <folder>` writes `two.tflite`: the mean of each channel as `mean`, and
its negative as `negative`; and `twins.tflite`, in which both have the same name.
`two_tflite_outputs.py keep <folder>` prints as JSON, by the output's name, the answers of the file
with only that output, or the message of its refusal; and for `twins` what describes the outputs.
"""

import json
import struct
import sys
from pathlib import Path

SHAPE, MEAN, NEGATIVE = (1, 4, 6, 3), "mean", "negative"


class _File:
    """A flatbuffer by TFLite's schema."""

    def __init__(self):
        import flatbuffers

        self.builder = flatbuffers.Builder()

    def add(self, table: str, **fields) -> int:
        """A table with these fields."""
        import tflite

        getattr(tflite, f"{table}Start")(self.builder)
        for field, value in fields.items():
            getattr(tflite, f"{table}Add{field}")(self.builder, value)
        return getattr(tflite, f"{table}End")(self.builder)

    def tables(self, *items: int) -> int:
        """A vector of tables."""
        self.builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            self.builder.PrependUOffsetTRelative(item)
        return self.builder.EndVector()

    def numbers(self, *values: int) -> int:
        """A vector of int32."""
        import numpy as np

        return self.builder.CreateNumpyVector(np.array(values, np.int32))

    def tensor(self, name: str, shape: tuple[int, ...], kind: int, buffer: int = 0) -> int:
        """A tensor; the buffer 0 is empty."""
        text, sides = self.builder.CreateString(name), self.numbers(*shape)
        return self.add("Tensor", Name=text, Shape=sides, Type=kind, Buffer=buffer)

    def operator(self, code: int, taken: tuple[int, ...], given: int, **options: int) -> int:
        """An operator that reads and writes the tensors of these places."""
        ends = {"Inputs": self.numbers(*taken), "Outputs": self.numbers(given)}
        return self.add("Operator", OpcodeIndex=code, **ends, **options)


def make(path: Path, names: tuple[str, str] = (MEAN, NEGATIVE)) -> None:
    """Write a file with outputs of these names."""
    import tflite

    file = _File()
    axes = file.builder.CreateByteVector(struct.pack("<ii", 1, 2))
    buffers = file.tables(file.add("Buffer"), file.add("Buffer", Data=axes))
    real, kinds = tflite.TensorType.FLOAT32, tflite.BuiltinOperator
    tensors = file.tables(
        file.tensor("image", SHAPE, real),
        file.tensor("axes", (2,), tflite.TensorType.INT32, 1),
        *(file.tensor(name, (1, 3), real) for name in names),
    )
    reducer = {"BuiltinOptionsType": tflite.BuiltinOptions.ReducerOptions}
    reducer["BuiltinOptions"] = file.add("ReducerOptions")
    nodes = file.tables(file.operator(0, (0, 1), 2, **reducer), file.operator(1, (2,), 3))
    ends = {"Inputs": file.numbers(0), "Outputs": file.numbers(2, 3)}
    graphs = file.tables(file.add("SubGraph", Tensors=tensors, Operators=nodes, **ends))
    codes = [
        file.add("OperatorCode", DeprecatedBuiltinCode=kind, BuiltinCode=kind, Version=1)
        for kind in (kinds.MEAN, kinds.NEG)
    ]
    whole = {"OperatorCodes": file.tables(*codes), "Subgraphs": graphs, "Buffers": buffers}
    file.builder.Finish(file.add("Model", Version=3, **whole), b"TFL3")
    path.write_bytes(file.builder.Output())


def kept(folder: Path, name: str | None, file: str = "two.tflite") -> dict:
    """What the file with one output answers, or why it is refused."""
    import numpy as np

    from deltann.formats import tflite_one_output

    described = {"name": "mine"} | ({"output_name": name} if name else {})
    path = folder / f"{name}.tflite"
    try:
        tflite_one_output.save(folder / file, described, path)
    except ValueError as error:
        return {"refused": str(error)}
    (answer,) = tflite_one_output.answers(path)
    return {"answers": np.frombuffer(answer, np.float32).tolist()}


def twins(folder: Path) -> dict:
    """What is said of the outputs that share a name, and the second one's answers."""
    from deltann.formats import descriptions

    described = descriptions.get("tflite").describe(folder / "twins.tflite")
    return {"described": described.outputs} | kept(folder, "1", "twins.tflite")


if __name__ == "__main__":
    place = Path(sys.argv[2])
    if sys.argv[1] == "make":
        make(place / "two.tflite")
        make(place / "twins.tflite", (MEAN, MEAN))
    else:
        found = {str(name): kept(place, name) for name in (MEAN, NEGATIVE, "x", None)}
        print(json.dumps(found | {"twins": twins(place)}))
