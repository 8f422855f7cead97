"""Time the kernels of a compiled library; print the result as JSON. Run by TVM's environment."""

import json
import sys
from pathlib import Path

import numpy as np

from deltann.runners import tvm


def main(library: str, threads: str) -> None:
    """Print what `deltann.tvm.kernel_times` measures with so many threads, on a made-up image."""
    with tvm.Runner(Path(library), int(threads)) as loaded:
        image = np.random.default_rng(0).random(loaded.input_shape, np.float32)
        for _ in range(3):
            loaded.infer(image)
        print(json.dumps(loaded.kernel_times(image)))


if __name__ == "__main__":
    main(*sys.argv[1:])
