"""PyTorch: the operators of an ExportedProgram, by default run one by one (eager).

Settings: `compile`, whether `torch.compile` makes kernels of them, which takes a C++ compiler.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from deltann.exported import input_shape, load

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"
SUFFIX = ".pt2"
SETTINGS = {"compile": (False, True)}


class Runner:
    """Load and run a `.pt2` file."""

    def __init__(self, path: Path, threads: int, compile: bool = False):
        self.path, self.threads, self.compile = path, threads, compile

    def __enter__(self) -> "Runner":
        import torch

        torch.set_num_threads(self.threads)
        torch.set_num_interop_threads(1)
        torch.use_deterministic_algorithms(True)
        self.torch = torch
        program = load(self.path)
        self.input_shape = input_shape(program)
        self.module = program.module()
        if self.compile:
            self.module = torch.compile(self.module, fullgraph=True)
        return self

    def __exit__(self, *_: object) -> None:
        del self.module

    def infer(self, batch: "np.ndarray") -> "np.ndarray":
        """Logits (1, classes) float32 of a float32 batch in the file's own layout."""
        with self.torch.inference_mode():
            return self.module(self.torch.from_numpy(batch)).numpy()


def versions() -> dict[str, str]:
    """The runtime's version."""
    import torch

    return {"torch": torch.__version__}
