"""LiteRT, the TFLite interpreter, by default with its XNNPACK delegate.

Settings: `xnnpack`, whether to use that delegate.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from deltann.formats.tensor_types import TensorType
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "tflite"
SUFFIX = ".tflite"
TARGET_KINDS = (CPU,)
SETTINGS = {"xnnpack": (True, False)}


class Runner(LocalRunner):
    """Load and run a `.tflite` file."""

    def __init__(self, model_file: Path, threads: int, xnnpack: bool = True):
        self.model_file, self.threads, self.xnnpack = model_file, threads, xnnpack

    def __enter__(self) -> "Runner":
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

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
        return self

    def __exit__(self, *_: object) -> None:
        del self.interpreter

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        self.interpreter.set_tensor(self.input["index"], batch)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output["index"])


def _type(details: dict) -> TensorType:
    """The type of a tensor, with its scale and zero point if it is quantized."""
    import numpy as np

    scale, zero_point = details["quantization"]  # (0, 0) for none
    return TensorType(np.dtype(details["dtype"]).name, scale or None, int(zero_point))


def versions() -> dict[str, str]:
    """The runtime's version."""
    from importlib import metadata

    return {"ai-edge-litert": metadata.version("ai-edge-litert")}
