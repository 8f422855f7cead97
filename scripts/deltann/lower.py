"""Import a model into TVM and take it through the graph passes of one level."""

import time
from pathlib import Path

from deltann.importers import import_model
from deltann.levels import passes
from deltann.tvm_start import load_tvm


def work(framework: str, level: str, source: str, output: str) -> dict:
    """Lower a model file to TIR kernels, for any device.

    Args:
        framework: the file's format, one of `importers.IMPORTS`.
        level: one of `levels.LEVELS`.
        source: the model file.
        output: the TVM module to write, JSON.

    Returns:
        The names of the passes, the number of kernels, and the seconds that importing and the
        passes took.
    """
    if framework == "torch":
        import torch  # noqa: F401  before TVM: see load_tvm
    tvm = load_tvm()
    start = time.perf_counter()
    module = import_model(Path(source), framework)
    imported = time.perf_counter()
    sequence = passes(level)
    # legalization asks for a target; for every CPU it gives the same kernels
    with tvm.target.Target("llvm"):
        module = tvm.transform.Sequential(sequence)(module)
    lowered = time.perf_counter()
    Path(output).write_text(tvm.ir.save_json(module))
    kernels = [f for f in module.functions.values() if isinstance(f, tvm.tirx.PrimFunc)]
    return {
        "passes": [item.info.name for item in sequence],
        "kernels": len(kernels),
        "seconds": {
            "import": round(imported - start, 3),
            "passes": round(lowered - imported, 3),
        },
    }
