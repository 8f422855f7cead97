"""PyTorch on the CPU or a GPU: an ExportedProgram, by default operator by operator (eager).

Settings: `compile`, whether `torch.compile` compiles the operators to kernels, which needs a C++
compiler.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from deltann.formats.exported_program import input_dtype, input_shape, load
from deltann.formats.tensor_types import TensorType
from deltann.runners import LocalRunner
from deltann.tvm.target_kinds import CPU, CUDA

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"
SUFFIX = ".pt2"
TARGET_KINDS = (CPU, CUDA)
SETTINGS = {"compile": (False, True)}


class Runner(LocalRunner):
    """Load and run a `.pt2` file."""

    def __init__(self, model_file: Path, threads: int, compile: bool = False, gpu: bool = False):
        self.model_file, self.threads, self.compile = model_file, threads, compile
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
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.set_num_threads(self.threads)
        torch.set_num_interop_threads(1)
        torch.use_deterministic_algorithms(True)
        self.torch = torch
        program = load(self.model_file)
        self.input_shape = input_shape(program)
        self.input_type = TensorType(input_dtype(program))
        if self.device == "cuda":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, self.device)
        self.module = program.module()
        if self.compile:
            self.module = torch.compile(self.module, fullgraph=True)
        return self

    def __exit__(self, *_: object) -> None:
        del self.module

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """See `runners.LocalRunner`."""
        with self.torch.inference_mode():
            # a copy from a GPU waits until it is done
            return self.module(self.torch.from_numpy(batch).to(self.device)).cpu().numpy()


def versions() -> dict[str, str]:
    """The runtime's version."""
    import torch

    return {"torch": torch.__version__}
