"""ONNX Runtime on the CPU, with its default graph optimizations."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
SUFFIX = ".onnx"


class Runner:
    """Load and run an `.onnx` file."""

    def __init__(self, path: Path, threads: int):
        self.path, self.threads = path, threads

    def __enter__(self) -> "Runner":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(self.path), options, providers=["CPUExecutionProvider"]
        )
        (declared,) = self.session.get_inputs()
        self.name, self.input_shape = declared.name, tuple(declared.shape)
        return self

    def __exit__(self, *_: object) -> None:
        del self.session

    def infer(self, batch: "np.ndarray") -> "np.ndarray":
        """Logits (1, classes) float32 of a float32 batch in the file's own layout."""
        return self.session.run(None, {self.name: batch})[0]


def versions() -> dict[str, str]:
    """The runtime's version."""
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}
