"""A TFLite file as objects: its tensors and operators, to be read, changed and written again.

The schema's classes are those that `ai-edge-litert` brings along. Only the first subgraph is read
and changed.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from deltann.formats import tflite_numbers as numbers
from deltann.formats.tflite_numbers import Scales

if TYPE_CHECKING:
    import numpy as np

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # of a buffer's content, as the schema asks
ABSENT = -1  # in place of a tensor that an operator doesn't take
LARGEST_OLD_CODE = 127  # of the schema's first field for the number of an operator


class TfliteFile:
    """The content of a `.tflite` file.

    Attributes:
        model, graph: the schema's objects: the model, and its first subgraph.
        names: of each tensor, each different; a tensor without a name, or with that of another
            one, gets its number behind it.
        shapes: of each tensor, as the interpreter has them.
        computed: values of tensors that operators compute from constants alone, by number.
    """

    def __init__(self, data: bytes):
        import numpy as np

        self.model = schema().ModelT.InitFromPackedBuf(data, 0)
        for buffer in self.model.buffers:
            if buffer.offset > 1:  # behind the flatbuffer, in files of over 2 GB
                content = data[buffer.offset : buffer.offset + buffer.size]
                buffer.data, buffer.offset = np.frombuffer(content, np.uint8), 0
                buffer.size = 0
        self.graph = self.model.subgraphs[0]
        for item in self.graph.operators:
            item.inputs, item.outputs = _list(item.inputs), _list(item.outputs)
        self.graph.inputs, self.graph.outputs = _list(self.graph.inputs), _list(self.graph.outputs)
        texts = [(item.name or b"").decode() for item in self.graph.tensors]
        times = Counter(texts)
        self.names = [
            text if text and times[text] == 1 else f"{text}#{index}"
            for index, text in enumerate(texts)
        ]
        self.shapes = [tuple(_list(item.shape)) for item in self.graph.tensors]
        self.computed: dict[int, np.ndarray] = {}

    @property
    def tensors(self) -> list[Any]:
        """The schema's objects of the tensors."""
        return self.graph.tensors

    def native(self, operator: Any) -> str:
        """What the schema calls an operator's kind, as `CONV_2D`."""
        return _natives()[self.code(operator)]

    def code(self, operator: Any) -> int:
        """The number of an operator's kind."""
        item = self.model.operatorCodes[operator.opcodeIndex]
        return max(item.builtinCode, item.deprecatedBuiltinCode)

    def dtype(self, index: int) -> str:
        """The type of a tensor's numbers, by NumPy's name."""
        code = self.tensors[index].type
        return "int8" if code == numbers.INT4 else numbers.NUMBERS.get(code, f"type {code}")

    def scales(self, index: int) -> Scales | None:
        """How a tensor is quantized; None if it isn't."""
        import numpy as np

        found = self.tensors[index].quantization
        scale = np.array(_list(found.scale) if found else [], np.float32)
        if not scale.size or "float" in self.dtype(index):
            return None
        zero = np.array(_list(found.zeroPoint) or [0], np.int64)
        zero = np.broadcast_to(zero, scale.shape) if zero.size == 1 else zero
        return Scales(scale, zero, int(found.quantizedDimension))

    def stored(self, index: int) -> "np.ndarray | None":
        """A constant in the file's own type; None for a tensor that isn't one."""
        import numpy as np

        if index in self.computed:
            return self.computed[index]
        item = self.tensors[index]
        data = self.model.buffers[item.buffer].data if item.buffer else None
        if data is None or not len(data):
            return None
        data, shape = np.asarray(data, np.uint8), tuple(_list(item.shape))
        if item.type == numbers.INT4:
            return numbers.unpack_int4(data, int(np.prod(shape))).reshape(shape)
        return data.view(self.dtype(index)).reshape(shape)

    def value(self, index: int) -> "np.ndarray | None":
        """A constant in real numbers: float32 if the file has it quantized or in float16."""
        import numpy as np

        found = self.stored(index)
        if found is None:
            return None
        return self.real(index, found.astype(np.float32) if found.dtype == np.float16 else found)

    def real(self, index: int, values: "np.ndarray") -> "np.ndarray":
        """The numbers that those of a tensor stand for: float32 if it is quantized."""
        scales = self.scales(index)
        return values if scales is None else numbers.to_real(values, scales)

    def add_tensor(
        self,
        name: str,
        shape: Iterable[int],
        dtype: str,
        data: "np.ndarray | None" = None,
        scales: Scales | None = None,
    ) -> int:
        """Add a tensor, a constant if there are data of its type; its number."""
        import numpy as np

        shape = [int(side) for side in shape]
        item = schema().TensorT(shape=shape, type=numbers.CODES[dtype], name=name.encode())
        item.hasRank = True
        if scales is not None:
            item.quantization = quantization(scales)
        if data is not None:
            content = np.ascontiguousarray(data, dtype).reshape(-1).view(np.uint8)
            self.model.buffers.append(schema().BufferT(data=content))
            item.buffer = len(self.model.buffers) - 1
        self.tensors.append(item)
        self.names.append(name)
        self.shapes.append(tuple(shape))
        return len(self.tensors) - 1

    def opcode(self, native: str, version: int = 1) -> int:
        """The place of an operator's kind in the file's list, which it is added to if need be."""
        code = getattr(schema().BuiltinOperator, native)
        for place, item in enumerate(self.model.operatorCodes):
            if max(item.builtinCode, item.deprecatedBuiltinCode) == code:
                if item.version >= version:
                    return place
        new = schema().OperatorCodeT(builtinCode=code, version=version)
        new.deprecatedBuiltinCode = min(code, LARGEST_OLD_CODE)
        self.model.operatorCodes.append(new)
        return len(self.model.operatorCodes) - 1

    def makers(self) -> dict[int, Any]:
        """The operator that makes each tensor, by the tensor's number."""
        return {index: item for item in self.graph.operators for index in item.outputs}

    def readers(self, index: int) -> list[Any]:
        """The operators that read a tensor."""
        return [item for item in self.graph.operators if index in item.inputs]

    def pack(self) -> bytes:
        """The file's content."""
        import flatbuffers

        builder = flatbuffers.Builder(1024 + sum(_size(item) for item in self.model.buffers))
        kept = self.model.buffers
        self.model.buffers = [_Aligned(item) for item in kept]
        builder.Finish(self.model.Pack(builder), IDENTIFIER)
        self.model.buffers = kept
        return bytes(builder.Output())


class _Aligned:
    """A buffer whose content starts where the schema wants it: the generated code ignores that."""

    def __init__(self, buffer: Any):
        self.buffer = buffer

    def Pack(self, builder: Any) -> int:  # noqa: N802
        data = self.buffer.data
        if data is None or not len(data):
            return schema().BufferT().Pack(builder)
        content = bytes(data)
        builder.StartVector(1, len(content), ALIGNMENT)
        builder.head -= len(content)
        builder.Bytes[builder.head : builder.head + len(content)] = content
        vector = builder.EndVector()
        schema().BufferStart(builder)
        schema().BufferAddData(builder, vector)
        return schema().BufferEnd(builder)


def schema() -> Any:
    """The module of the schema's classes."""
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def quantization(scales: Scales) -> Any:
    """The schema's object for a tensor's scales."""
    import numpy as np

    found = schema().QuantizationParametersT()
    found.scale = np.ascontiguousarray(scales.scale, np.float32)
    found.zeroPoint = np.ascontiguousarray(scales.zero_point, np.int64)
    found.quantizedDimension = scales.axis
    return found


def _natives() -> dict[int, str]:
    found = vars(schema().BuiltinOperator).items()
    return {code: name for name, code in found if isinstance(code, int)}


def _size(buffer: Any) -> int:
    return 64 + (0 if buffer.data is None else len(buffer.data))


def _list(values: Any) -> list:
    """A vector of the schema as Python numbers; one that is left out is empty."""
    import numpy as np

    return [] if values is None else np.asarray(values).tolist()
