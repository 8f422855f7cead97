"""ONNX Runtime on the CPU or a GPU, by default with all its graph optimizations.

Settings: `optimization`, the graph optimization level.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats import onnx_types
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU, CUDA

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
SUFFIX = ".onnx"
TARGET_KINDS = (CPU, CUDA)
CUDA_PROVIDER = "CUDAExecutionProvider"
SETTINGS = {"optimization": ("disabled", "basic", "extended", "all")}


class Runner(LocalRunner):
    """Load and run an `.onnx` file."""

    def __init__(
        self, model_file: Path, threads: int, optimization: str = "all", gpu: bool = False
    ):
        self.model_file, self.threads, self.optimization = model_file, threads, optimization
        self.gpu = gpu

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
            str(self.model_file), options, providers=self._providers(onnxruntime)
        )
        if self.gpu and CUDA_PROVIDER not in self.session.get_providers():
            raise ValueError(f"ONNX Runtime can't start its {CUDA_PROVIDER}; expected a CUDA GPU")
        (declared,) = self.session.get_inputs()
        self.name, self.input_shape = declared.name, tuple(declared.shape)
        types = {declared.type, *(output.type for output in self.session.get_outputs())}
        if types != {"tensor(float)"}:  # read the file a second time only if need be
            import onnx

            graph = onnx.load(self.model_file, load_external_data=False).graph
            self.input_type = onnx_types.input_type(graph)
            self.output_type = onnx_types.output_type(graph)
        return self

    def _providers(self, onnxruntime: Any) -> list:
        """The execution providers in the order of preference.

        Raises:
            ValueError: one is missing from this build of ONNX Runtime.
        """
        if not self.gpu:
            return ["CPUExecutionProvider"]
        if CUDA_PROVIDER not in onnxruntime.get_available_providers():
            raise ValueError(
                f"this onnxruntime {onnxruntime.__version__} has no {CUDA_PROVIDER}; expected the "
                "package onnxruntime-gpu instead, in envs/onnx.txt"
            )
        return [(CUDA_PROVIDER, {"use_tf32": "0"}), "CPUExecutionProvider"]

    def __exit__(self, *_: object) -> None:
        del self.session

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        return self.session.run(None, {self.name: batch})[0]


def versions() -> dict[str, str]:
    """The runtime's version."""
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}
