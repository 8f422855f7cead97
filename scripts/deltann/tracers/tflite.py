"""The tensors of TFLite files, by LiteRT's interpreter with its own kernels and no delegate.

Real numbers everywhere: of a quantized tensor `run` gives the float32 numbers that its whole
numbers stand for. It takes float32 for a replaced one and rounds it to the file's type. Quantized
constants are real numbers in `operators`. So an int8 file can be compared with its source.

TFLite can't be given a tensor in the middle of a run. For replaced tensors the part of the file
that leads from them to the wanted ones is cut out, and runs as a file of its own.

A file with a depthwise convolution without bias runs in TFLite's reference kernels: the optimized
ones of LiteRT 2.3 end the process (segmentation fault).
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from deltann.formats import tflite_numbers as numbers
from deltann.formats.tflite_cut import cut, settle, start
from deltann.formats.tflite_file import TfliteFile
from deltann.formats.tflite_operators import describe
from deltann.ours import ours
from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tflite"
LAYOUT = "NHWC"
KEPT_PARTS = 2  # how many cut-out parts stay loaded


class Tracer:
    """See `deltann.steps.Tracer`.

    Raises, on entering:
        ValueError: the file has several inputs, or LiteRT can't load it.
        RuntimeError: LiteRT refuses an operator.
    """

    def __init__(self, model_file: Path):
        self.model_file = model_file

    def __enter__(self) -> Self:
        content = Path(self.model_file).read_bytes()
        self.file = TfliteFile(content)
        if len(self.file.graph.inputs) != 1:
            raise ValueError(f"{self.model_file}: expected one input")
        self.interpreter = settle(self.file, content)
        self.parts: dict[tuple[frozenset[int], frozenset[int]], Any] = {}
        taken, given = self.file.graph.inputs[0], self.file.graph.outputs[0]
        self.numbers = {name: index for index, name in enumerate(self.file.names)}
        self.input, self.output = self.file.names[taken], self.file.names[given]
        self.input_shape = self.file.shapes[taken]
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.clear()
        del self.interpreter, self.file

    def operators(self) -> list[Operator]:
        """See `steps.Tracer`. An operator is called by its kind and its place in the file."""
        with ours("reading the operators of a TFLite file"):
            return [item.operator for item in describe(self.file)]

    def run(
        self,
        image: "np.ndarray",
        wanted: Collection[str],
        replaced: "Mapping[str, np.ndarray] | None" = None,
    ) -> "dict[str, np.ndarray]":
        """See `steps.Tracer`; quantized tensors are float32 both ways.

        Raises:
            KeyError: there is no tensor of a name.
        """
        import numpy as np

        given = {
            self.numbers[name]: self._stored(self.numbers[name], values)
            for name, values in {self.input: image, **(replaced or {})}.items()
        }
        asked = {self.numbers[name] for name in wanted}
        found: dict[int, np.ndarray] = {index: given[index] for index in asked & given.keys()}
        for index in asked - found.keys():
            constant = self.file.stored(index)
            if constant is not None:
                found[index] = constant
        rest = asked - found.keys()
        if rest:
            interpreter = self._loaded(
                frozenset(self.numbers[name] for name in replaced or {}), rest
            )
            for taken in interpreter.get_input_details():
                index = taken["index"]
                interpreter.set_tensor(index, given[index])
            interpreter.invoke()
            found |= {index: np.array(interpreter.get_tensor(index)) for index in rest}
        return {
            name: self.file.real(self.numbers[name], found[self.numbers[name]]) for name in wanted
        }

    def _loaded(self, replaced: frozenset[int], wanted: set[int]) -> Any:
        """The interpreter of the whole file, or of the part behind the replaced tensors."""
        if not replaced:
            return self.interpreter
        key = replaced, frozenset(wanted)
        found = self.parts.pop(key, None)
        if found is None:
            with ours("cutting a part out of a TFLite file"):
                content = cut(self.file, sorted(replaced), sorted(wanted))
            while len(self.parts) >= KEPT_PARTS:
                del self.parts[next(iter(self.parts))]
            found = start(content, self.file, everything=False)
        self.parts[key] = found
        return found

    def _stored(self, index: int, values: "np.ndarray") -> "np.ndarray":
        """Real numbers in the type and shape of a tensor."""
        import numpy as np

        dtype, scales = self.file.dtype(index), self.file.scales(index)
        values = np.asarray(values).reshape(self.file.shapes[index])
        return values.astype(dtype) if scales is None else numbers.to_whole(values, scales, dtype)
