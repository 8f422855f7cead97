"""Run by TVM's environment: a model's GPU kernels, their threads one after the other, on a CPU.

    python gpu_schedules.py MODEL.onnx INPUT.npy OUTPUT.npy

A schedule is right if its loops over blocks and threads, run as plain loops, give what the kernel
gave without it; what this can't show is how fast it is, and that threads which share memory wait
for each other, which TVM sees to.
"""

import re
import sys
from pathlib import Path

import numpy as np

from deltann.tvm import target_kinds
from deltann.tvm.importers import import_model
from deltann.tvm.levels import PASSES, kernel_pipeline, run
from deltann.tvm.load import load_tvm

BINDING = re.compile(r'T\.thread_binding\((.+?), thread="[a-zA-Z.]+"(?:, annotations=\{.*\})?\)')


def serial(kernel):
    """A kernel with each loop over threads as a plain one."""
    import tvm

    text, bound = BINDING.subn(r"T.serial(\1)", kernel.script(show_meta=False))
    if not bound or "thread" in text:
        raise ValueError(f"threads are left, or none was: {text}")
    return tvm.script.from_source(text)


def main(model: Path, batch: Path, output: Path) -> None:
    """Write the model's answer."""
    tvm = load_tvm()
    from tvm import relax

    gpu = tvm.target.Target({"kind": "cuda", "arch": "sm_80", "host": {"kind": "llvm"}})
    kind = target_kinds.get(target_kinds.CUDA)
    with gpu, tvm.transform.PassContext(opt_level=3):
        steps = kernel_pipeline(PASSES, kind, gpu, own_kernels=True)
        module, _ = run(steps, import_model(model, "onnx").repaired(), PASSES)
        module, fallbacks = kind.schedule(module, gpu, "rules")
    plain = tvm.IRModule(dict(module.functions_items()), attrs=module.attrs)
    for variable, function in module.functions_items():
        if isinstance(function, tvm.tirx.PrimFunc):
            plain.update_func(variable, serial(function))
    cpu = tvm.target.Target({"kind": "llvm"})
    with cpu:
        plain = tvm.transform.Sequential(target_kinds.get(target_kinds.CPU).lowering())(plain)
        built = tvm.compile(plain, cpu, relax_pipeline=tvm.transform.Sequential([]))
    machine = relax.VirtualMachine(built, tvm.cpu())
    answer = machine["main"](tvm.runtime.tensor(np.load(batch)))
    np.save(output, (answer if isinstance(answer, tvm.runtime.Tensor) else answer[0]).numpy())
    print(" ".join(fallbacks))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
