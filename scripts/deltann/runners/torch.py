"""PyTorch on the CPU or a GPU: an ExportedProgram, by default operator by operator (eager).

Settings:
    compile: whether `torch.compile` compiles the operators to kernels, which needs a C++ compiler.
    autocast: whether convolutions and matrix products are computed in bfloat16 by `torch.autocast`.
    float32_precision: what operators may be computed in that are float32 in the file, where the
        processor or GPU has such instructions. `highest`: float32. `high`, `medium`: matrix
        products in less, by `torch.set_float32_matmul_precision`. `tf32`, `bf16`: also
        convolutions, by `torch.backends.fp32_precision`.
"""

import os
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.formats.exported_program import input_dtype, input_shape, load
from deltann.formats.precisions import torch as precisions
from deltann.formats.tensor_types import TensorType
from deltann.precision import look
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU, CUDA

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"
SUFFIX = ".pt2"
TARGET_KINDS = (CPU, CUDA)
HIGHEST, LEGACY = "highest", ("high", "medium")
SETTINGS = {
    "compile": (False, True),
    "autocast": (False, True),
    "float32_precision": (HIGHEST, *LEGACY, "tf32", "bf16"),
}


class Runner(LocalRunner):
    """Load and run a `.pt2` file."""

    def __init__(
        self,
        model_file: Path,
        threads: int,
        compile: bool = False,
        autocast: bool = False,
        float32_precision: str = HIGHEST,
        gpu: bool = False,
    ):
        self.model_file, self.threads, self.compile = model_file, threads, compile
        self.autocast, self.float32_precision = autocast, float32_precision
        self.device = "cuda" if gpu else "cpu"

    def __enter__(self) -> "Runner":
        # cuBLAS is deterministic only with a workspace of a fixed size, set before it starts
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"PyTorch {torch.__version__} finds no CUDA GPU on this machine; expected one, and "
                "a PyTorch built for it"
            )
        self.torch = torch
        self._set_precision()
        torch.set_num_threads(self.threads)
        torch.set_num_interop_threads(1)
        torch.use_deterministic_algorithms(True)
        program = load(self.model_file)
        self.input_shape = input_shape(program)
        self.input_type = TensorType(input_dtype(program))
        if self.device == "cuda":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, self.device)
        self.module = program.module()
        if self.autocast or self.float32_precision != HIGHEST:
            self.operators = look(
                "what PyTorch computes in",
                lambda: self._measure(precisions.declared(program)),
            )
        if self.compile:
            self.module = torch.compile(self.module, fullgraph=True)
        return self

    def _set_precision(self) -> None:
        """Set what float32 operators of this process may be computed in.

        PyTorch has two interfaces, and raises if a process uses both.
        """
        backends = self.torch.backends
        if self.float32_precision not in (HIGHEST, *LEGACY):
            backends.fp32_precision = self.float32_precision
            return
        backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = False
        if self.float32_precision in LEGACY:
            self.torch.set_float32_matmul_precision(self.float32_precision)

    def _measure(self, declared: list[str]) -> dict[str, int]:
        """What the operators are computed in with these settings, on a test image."""
        image = spot_check.image(self.input_shape, self.input_type.dtype)
        # not in inference mode, in which composite operators are seen before autocast casts
        with self.torch.no_grad():
            return dict(Counter(precisions.measured(lambda: self._call(image), declared)))

    def __exit__(self, *_: object) -> None:
        del self.module

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        with self.torch.inference_mode():
            # a copy from a GPU waits until it is done
            answer = self._call(batch).cpu()
            if answer.dtype == self.torch.bfloat16:  # NumPy has none
                answer = answer.float()
            return answer.numpy()

    def _call(self, batch: "np.ndarray") -> Any:
        """The module's answer, a `torch.Tensor` on its device."""
        torch = self.torch
        with torch.autocast(self.device, torch.bfloat16) if self.autocast else nullcontext():
            return self.module(torch.from_numpy(batch).to(self.device))


def versions() -> dict[str, str]:
    """The runtime's version."""
    import torch

    return {"torch": torch.__version__}
