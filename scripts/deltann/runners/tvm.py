"""TVM's virtual machine on this machine's processor or GPU."""

import os
from pathlib import Path

import numpy as np

from deltann.formats.tensor_types import TensorType, encode
from deltann.ours import ours
from deltann.provenance import files
from deltann.runners import LocalRunner
from deltann.tvm import kernel_times
from deltann.tvm.cuda.nvrtc import compile_when_loaded
from deltann.tvm.load import load_tvm
from deltann.tvm.target_kinds import CPU, CUDA

ENVIRONMENT = "tvm"
SUFFIX = ".so"
SETTINGS: dict[str, tuple] = {}
TARGET_KINDS = (CPU, CUDA)


class Runner(LocalRunner):
    """Load and run a compiled library."""

    def __init__(self, model_file: Path, threads: int, gpu: bool = False):
        self.model_file, self.threads, self.gpu = model_file, threads, gpu

    def __enter__(self) -> "Runner":
        os.environ["TVM_NUM_THREADS"] = str(self.threads)  # read when TVM starts its threads
        if not self.gpu:  # GPU code is compiled at loading, by the compiler's library
            os.environ["TVM_USE_RUNTIME_LIB"] = "1"  # halves the import's time, saves 100 MB
        tvm = self.tvm = load_tvm()
        from tvm.runtime.vm import VirtualMachine

        self.device = tvm.cuda() if self.gpu else tvm.cpu()
        if not self.device.exist:
            raise ValueError("TVM finds no CUDA GPU on this machine; expected one")
        # a compiled library doesn't know its input and output; its record does
        details = files.read_json(Path(f"{self.model_file}.json"))["details"]
        self.input_shape = tuple(details["input_shape"])
        self.input_type = TensorType(**details["input_type"])
        self.output_type = TensorType(**details["output_type"])
        if self.gpu:
            # for the GPU that is here: a library made for sm_80 runs on later ones too
            compile_when_loaded(f"sm_{self.device.compute_version.replace('.', '')}")
        self.peak_lanes = details["peak_lanes"]
        self.library = tvm.runtime.load_module(str(self.model_file))
        self.virtual_machine = VirtualMachine(self.library, self.device)
        return self

    def __exit__(self, *_: object) -> None:
        del self.virtual_machine, self.library

    def run(self, batch: np.ndarray) -> np.ndarray:
        """See `runners.LocalRunner`."""
        answer = self.virtual_machine["main"](self.tvm.runtime.tensor(batch, self.device))
        # a copy from a GPU waits until it is done
        return (answer if isinstance(answer, self.tvm.runtime.Tensor) else answer[0]).numpy()

    def kernel_times(self, batch: np.ndarray) -> dict | None:
        """See `runners.Runner`."""
        if not self.peak_lanes:
            return None
        image = self.tvm.runtime.tensor(encode(batch, self.input_type), self.device)
        with ours("the kernels' times"):
            return kernel_times.measure(self.library, self.virtual_machine, image, self.peak_lanes)


def versions() -> dict[str, str]:
    """The runtime's version."""
    return {"tvm": load_tvm().__version__}
