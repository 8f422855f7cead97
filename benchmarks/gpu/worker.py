"""Load one model in one way, answer all photographs, then time as often as each line says.

It runs on the machine with the GPU, in a process of its own, with this project's runners. Each
answer is a line of JSON on stdout: first what was loaded, then the seconds of each run.
"""

import argparse
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "scripts"))

import numpy as np  # noqa: E402  as the modules below, found by the line above

from deltann.formats.tensor_types import TensorType  # noqa: E402
from deltann.images.normalise import layout, normalise  # noqa: E402
from deltann.images.preprocessing import Preprocessing  # noqa: E402
from deltann.runners import torch as torch_runner  # noqa: E402

HALF = "torch_half"


class HalfRunner(torch_runner.Runner):
    """PyTorch with all numbers of a float32 model rounded to float16."""

    def __enter__(self) -> "HalfRunner":
        super().__enter__()
        self.module = self.module.half()
        self.input_type = self.output_type = TensorType("float16")
        return self


def runner(name: str, model_file: Path, settings: dict, threads: int, gpu: bool) -> Any:
    """The runner of a contestant, not yet entered."""
    if name == HALF:
        return HalfRunner(model_file, threads, gpu=gpu)
    if name == "onnx" and gpu:
        import onnxruntime

        onnxruntime.preload_dlls()  # CUDA's libraries, from PyTorch's packages
    return import_module(f"deltann.runners.{name}").Runner(model_file, threads, **settings, gpu=gpu)


def gpu_code(library: Path, details: dict) -> str:
    """Compile the CUDA code in a library made for GPUs, which needs none.

    Returns:
        What was compiled, in words.

    Raises:
        ValueError: kernels are missing.
        RuntimeError: NVRTC can't compile it.
    """
    from deltann.tvm.cuda.nvrtc import assemble

    code = library.read_bytes()
    start = code.index(b"\n#ifdef __CUDACC_RTC__")  # behind the number of its bytes
    source = code[start : start + int.from_bytes(code[start - 8 : start], "little")].decode()
    entries = assemble(source, "compute_80").count(b".entry")
    if entries != details["kernels"]:
        raise ValueError(f"{library}: {entries} kernels in its PTX; expected {details['kernels']}")
    size = len(assemble(source, "sm_90"))
    return f"{entries} kernels compiled to PTX for sm_80, and to {size} bytes for sm_90"


def main(options: argparse.Namespace) -> None:
    """Answer the photographs, then each line on stdin."""
    # a runtime may write to stdout of its own: its lines go to stderr
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    about: dict = {}
    started = time.perf_counter()
    if options.gpu_code:
        details = json.loads(Path(f"{options.gpu_code}.json").read_text("utf-8"))["details"]
        about["gpu_code"] = gpu_code(options.gpu_code, details)
    described = json.loads((options.model / "model.json").read_text("utf-8"))
    how = Preprocessing(**described["preprocessing"])
    pixels = np.load(options.model / "pixels.npy", allow_pickle=False)
    settings = json.loads(options.settings)
    with runner(options.runner, options.file, settings, options.threads, not options.dry) as loaded:
        order = layout(loaded.input_shape, how)
        batches = [normalise(image, how, order) for image in pixels]
        logits = np.concatenate([loaded.infer(batch) for batch in batches])
        np.save(options.logits, logits)
        versions = import_module(f"deltann.runners.{options.runner.removesuffix('_half')}")
        about |= {"versions": versions.versions(), "operators": loaded.operators}
        about["loading_seconds"] = time.perf_counter() - started
        print(json.dumps(about), file=answers)
        for line in sys.stdin:
            seconds = [loaded.timed(batches[0])[1] for _ in range(int(line))]
            print(json.dumps(seconds), file=answers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runner")
    parser.add_argument("file", type=Path)
    parser.add_argument("model", type=Path, help="the model's folder, with its photographs")
    parser.add_argument("logits", type=Path, help="where to write the answers, .npy")
    parser.add_argument("--settings", default="{}", help="the runner's, JSON")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--dry", action="store_true", help="on the CPU")
    parser.add_argument("--gpu-code", type=Path, help="a library whose CUDA code is compiled too")
    main(parser.parse_args())
