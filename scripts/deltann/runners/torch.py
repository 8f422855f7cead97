"""PyTorch eager: the operators of an ExportedProgram, run one by one."""

from pathlib import Path

import numpy as np

ENVIRONMENT = "torch"
SUFFIX = ".pt2"


class Runner:
    """Load and run a `.pt2` file; the archive holds JSON and raw tensors, no pickle is executed."""

    def __init__(self, path: Path, threads: int):
        self.path, self.threads = path, threads

    def __enter__(self) -> "Runner":
        import torch

        torch.set_num_threads(self.threads)
        torch.use_deterministic_algorithms(True)
        self.torch = torch
        program = torch.export.load(self.path)
        name = program.graph_signature.user_inputs[0]
        (node,) = (node for node in program.graph.nodes if node.name == name)
        self.input_shape = tuple(node.meta["val"].shape)
        self.module = program.module()
        return self

    def __exit__(self, *_: object) -> None:
        del self.module

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """Logits (1, classes) float32 of a float32 batch in the file's own layout."""
        with self.torch.inference_mode():
            return self.module(self.torch.from_numpy(batch)).numpy()


def versions() -> dict[str, str]:
    """The runtime's version."""
    import torch

    return {"torch": torch.__version__}
