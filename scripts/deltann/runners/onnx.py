"""ONNX Runtime on the CPU or a GPU, by default with all its graph optimizations.

Settings:
    optimization: the graph optimization level.
    quantized: what runs the operators of a quantized model. `fused`: kernels for whole numbers,
        where there are such; activations in int8 become uint8 on x86. `int8`: likewise, and they
        stay int8, ONNX Runtime's default on Arm. `float32`: float32 operators, between those that
        round. `cleanup`: as `fused`, and pairs of operators that only round are removed.
    gelu_approximation: whether GELU is computed by tanh.
    tf32: whether a GPU rounds what it multiplies to TensorFloat-32.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import precision
from deltann.formats import onnx_types
from deltann.formats.precisions import onnx as precisions
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU, CUDA

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "onnx"
SUFFIX = ".onnx"
TARGET_KINDS = (CPU, CUDA)
CUDA_PROVIDER = "CUDAExecutionProvider"
# The entries of a session's configuration by the setting `quantized`.
CLEANUP = "cleanup"
QUANTIZED = {
    "fused": {},
    "int8": {"session.qdqisint8allowed": "1"},
    "float32": {"session.disable_quant_qdq": "1"},
    CLEANUP: {"session.enable_quant_qdq_cleanup": "1"},
}
SETTINGS = {
    "optimization": ("disabled", "basic", "extended", "all"),
    "quantized": tuple(QUANTIZED),
    "gelu_approximation": (False, True),
    "tf32": (False, True),
}


class Runner(LocalRunner):
    """Load and run an `.onnx` file."""

    def __init__(
        self,
        model_file: Path,
        threads: int,
        optimization: str = "all",
        quantized: str = "fused",
        gelu_approximation: bool = False,
        tf32: bool = False,
        gpu: bool = False,
    ):
        self.model_file, self.threads, self.optimization = model_file, threads, optimization
        self.configuration = dict(QUANTIZED[quantized])
        if gelu_approximation:
            self.configuration["optimization.enable_gelu_approximation"] = "1"
        self.cleanup, self.tf32, self.gpu = quantized == CLEANUP, tf32, gpu

    def __enter__(self) -> "Runner":
        import onnx
        import onnxruntime

        options = self._options(onnxruntime)
        with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
            optimized = Path(folder, "optimized.onnx")
            # ONNX Runtime has no float16 operators on most CPUs, and converts to float32
            look = self.cleanup or precisions.stores_half(self.model_file)
            if look:
                options.optimized_model_filepath = str(optimized)
            self.session = onnxruntime.InferenceSession(
                str(self.model_file), options, providers=self._providers(onnxruntime)
            )
            if look:
                self.operators = precision.look(
                    "what ONNX Runtime computes in",
                    lambda: precisions.of_model(onnx.load(optimized), folded=True),
                )
        if self.gpu and CUDA_PROVIDER not in self.session.get_providers():
            raise ValueError(f"ONNX Runtime can't start its {CUDA_PROVIDER}; expected a CUDA GPU")
        (declared,) = self.session.get_inputs()
        self.name, self.input_shape = declared.name, tuple(declared.shape)
        types = {declared.type, *(output.type for output in self.session.get_outputs())}
        if types != {"tensor(float)"}:  # read the file a second time only if need be
            graph = onnx.load(self.model_file, load_external_data=False).graph
            self.input_type = onnx_types.input_type(graph)
            self.output_type = onnx_types.output_type(graph)
        return self

    def _options(self, onnxruntime: Any) -> Any:
        """The `onnxruntime.SessionOptions` of these settings."""
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
        for name, value in self.configuration.items():
            options.add_session_config_entry(name, value)
        return options

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
        return [(CUDA_PROVIDER, {"use_tf32": str(int(self.tf32))}), "CPUExecutionProvider"]

    def __exit__(self, *_: object) -> None:
        del self.session

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        return self.session.run(None, {self.name: batch})[0]


def versions() -> dict[str, str]:
    """The runtime's version."""
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}
