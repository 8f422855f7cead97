"""New operators for a TFLite file."""

import copy
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from deltann.formats.tflite_file import TfliteFile, schema

if TYPE_CHECKING:
    import numpy as np

# The schema's class of an operator's options, where it isn't called after the operator.
_OPTIONS = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "PADV2": "PadV2Options",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), "ReducerOptions"),
    "BATCH_MATMUL": "BatchMatMulOptions",
    "SPLIT_V": "SplitVOptions",
}
# Operators that have no options.
_WITHOUT = ("RELU", "RELU6", "RELU_N1_TO_1", "LOGISTIC", "TANH", "ELU", "PRELU", "LOG", "SQRT")
# The version of an operator that knows what it is used for here.
VERSIONS = {"RESIZE_BILINEAR": 3, "RESIZE_NEAREST_NEIGHBOR": 3}


class Builder:
    """Adds operators and their tensors to a file.

    Attributes:
        file: the file.
    """

    def __init__(self, file: TfliteFile):
        self.file = file

    def emit(
        self,
        native: str,
        inputs: Sequence[int],
        shape: Iterable[int] | None = None,
        dtype: str | None = None,
        **options: Any,
    ) -> int:
        """Add an operator with one output.

        Args:
            native: its kind, in the schema's words.
            inputs: the numbers of the tensors that it takes.
            shape: of the output; that of the first input if left out.
            dtype: of the output, with no scales; type and scales of the first input if left out.
            options: by the names of the schema's class.

        Returns:
            The number of the output.
        """
        like = inputs[0]
        output = self.file.add_tensor(
            self.free_name(native),
            self.file.shapes[like] if shape is None else shape,
            dtype or self.file.dtype(like),
            scales=None if dtype else self.file.scales(like),
        )
        self.add(native, inputs, [output], **options)
        return output

    def add(
        self, native: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any
    ) -> Any:
        """Add an operator that writes tensors which are there; the schema's object."""
        operator = schema().OperatorT(inputs=list(inputs), outputs=list(outputs))
        self.become(operator, native, **options)
        self.file.graph.operators.append(operator)
        return operator

    def become(self, operator: Any, native: str, **options: Any) -> None:
        """Make an operator one of another kind, with these options and no others."""
        operator.opcodeIndex = self.file.opcode(native, VERSIONS.get(native, 1))
        operator.builtinOptionsType, operator.builtinOptions = 0, None
        if native not in _WITHOUT:
            words = "".join(word.capitalize() for word in native.split("_"))
            name = _OPTIONS.get(native, f"{words}Options")
            operator.builtinOptionsType = getattr(schema().BuiltinOptions, name)
            operator.builtinOptions = getattr(schema(), f"{name}T")(**options)

    def constant(self, values: "np.ndarray", dtype: str | None = None) -> int:
        """Add a constant; in the type of the values if none is given."""
        import numpy as np

        values = np.asarray(values, dtype)
        name = self.free_name("constant")
        return self.file.add_tensor(name, values.shape, values.dtype.name, values)

    def whole(self, numbers: Iterable[int]) -> int:
        """Add a vector of int32, such as axes or a shape."""
        import numpy as np

        return self.constant(np.array([*numbers], np.int32))

    def dequantized(self, tensor: int) -> int:
        """A tensor in float32: itself, or what a new operator makes of it."""
        if self.file.scales(tensor) is None:
            return tensor
        return self.emit("DEQUANTIZE", [tensor], dtype="float32")

    def quantized(self, tensor: int, like: int) -> int:
        """A float32 tensor in the type and the scales of another one."""
        scales = self.file.scales(like)
        if scales is None:
            return tensor
        name, shape = self.free_name("QUANTIZE"), self.file.shapes[tensor]
        output = self.file.add_tensor(name, shape, self.file.dtype(like), scales=scales)
        self.add("QUANTIZE", [tensor], [output])
        return output

    def twin(self, tensor: int) -> int:
        """Another tensor of the same type, scales and shape, which nobody makes yet."""
        item = copy.copy(self.file.tensors[tensor])
        name = self.free_name(self.file.names[tensor])
        item.name, item.buffer = name.encode(), 0
        self.file.tensors.append(item)
        self.file.names.append(name)
        self.file.shapes.append(self.file.shapes[tensor])
        return len(self.file.tensors) - 1

    def free_name(self, start: str) -> str:
        """A name that no tensor has."""
        taken, number = set(self.file.names), 1
        while f"{start}/edit{number}" in taken:
            number += 1
        return f"{start}/edit{number}"
