"""LiteRT, the TFLite interpreter, by default with its XNNPACK delegate.

Settings: `xnnpack`, whether to use that delegate; `float16`, whether that delegate must compute in
float16 what is float32 in the file.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats.precisions import tflite as precisions
from deltann.formats.tensor_types import TensorType
from deltann.precision import FLOAT16, FLOAT32, OTHER
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tflite"
SUFFIX = ".tflite"
TARGET_KINDS = (CPU,)
SETTINGS = {"xnnpack": (True, False), "float16": (False, True)}
# Of TFLite's xnnpack_delegate.h: signed and unsigned 8 bits and fully connected layers with weights
# that aren't constants, which are on by default, and TFLITE_XNNPACK_DELEGATE_FLAG_FORCE_FP16.
FLAGS = 1 | 2 | 8 | 4
# What becomes of an operator's precision if float32 becomes float16.
LOWERED = {FLOAT32: FLOAT16, "float16-weights": FLOAT16, "int8-weights": OTHER}


class Runner(LocalRunner):
    """Load and run a `.tflite` file."""

    def __init__(self, model_file: Path, threads: int, xnnpack: bool = True, float16: bool = False):
        self.model_file, self.threads = model_file, threads
        self.xnnpack, self.float16 = xnnpack, float16

    def __enter__(self) -> "Runner":
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        if self.float16 and not self.xnnpack:
            raise ValueError("float16: only XNNPACK has it; expected xnnpack: true")
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.interpreter = Interpreter(
            model_path=str(self.model_file),
            num_threads=self.threads,
            experimental_op_resolver_type=OpResolverType.AUTO if self.xnnpack else plain,
        )
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        (self.output,) = self.interpreter.get_output_details()
        self.input_shape = tuple(int(side) for side in self.input["shape"])
        self.input_type, self.output_type = _type(self.input), _type(self.output)
        if self.float16:
            self.compiled = _compile(self.model_file, self.threads)
            self.taken = self.compiled.create_input_buffers(0)
            self.given = self.compiled.create_output_buffers(0)
            self.operators = _lowered(precisions.operators(self.model_file))
        return self

    def __exit__(self, *_: object) -> None:
        del self.interpreter

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        if self.float16:
            return self._run_compiled(batch)
        self.interpreter.set_tensor(self.input["index"], batch)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output["index"])

    def _run_compiled(self, batch: "np.ndarray") -> "np.ndarray":
        self.taken[0].write(batch)
        self.compiled.run_by_index(0, self.taken, self.given)
        shape = self.output["shape"]
        return self.given[0].read(int(shape.prod()), self.output["dtype"]).reshape(shape)


def _compile(model_file: Path, threads: int) -> Any:
    """LiteRT's compiled model, with XNNPACK in float16: an interpreter can't ask for it.

    Raises:
        ValueError: XNNPACK doesn't take all operators: what the others compute in isn't known.
    """
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.options import CpuOptions, Options

    options = Options(cpu_options=CpuOptions(num_threads=threads, xnnpack_flags=FLAGS))
    model = CompiledModel.from_file(str(model_file), options=options)
    if not model.is_fully_accelerated():
        raise ValueError(
            "float16: XNNPACK leaves operators of this model to LiteRT's own kernels; expected a"
            " model that it takes as a whole, on a processor for which it has float16"
        )
    return model


def _lowered(counts: Mapping[str, int]) -> dict[str, int]:
    """The number of operators by their precision, with float16 in place of float32."""
    found: Counter[str] = Counter()
    for name, count in counts.items():
        found[LOWERED.get(name, name)] += count
    return dict(found)


def _type(details: dict) -> TensorType:
    """The type of a tensor, with its scale and zero point if it is quantized."""
    import numpy as np

    scale, zero_point = details["quantization"]  # (0, 0) for none
    return TensorType(np.dtype(details["dtype"]).name, scale or None, int(zero_point))


def versions() -> dict[str, str]:
    """The runtime's version."""
    from importlib import metadata

    return {"ai-edge-litert": metadata.version("ai-edge-litert")}
