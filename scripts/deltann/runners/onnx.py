"""ONNX Runtime on the CPU; by default with all its graph optimizations.

Settings: `optimization`, its graph optimization level.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
SUFFIX = ".onnx"
SETTINGS = {"optimization": ("disabled", "basic", "extended", "all")}


class Runner:
    """Load and run an `.onnx` file."""

    def __init__(self, path: Path, threads: int, optimization: str = "all"):
        self.path, self.threads, self.optimization = path, threads, optimization

    def __enter__(self) -> "Runner":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = {
            "disabled": levels.ORT_DISABLE_ALL,
            "basic": levels.ORT_ENABLE_BASIC,
            "extended": levels.ORT_ENABLE_EXTENDED,
            "all": levels.ORT_ENABLE_ALL,
        }[self.optimization]
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
