"""What kernels have to do at the least: the operations, and the bytes that they read and write."""

import math
from typing import Any


def of_kernels(module: Any) -> dict[str, dict[str, float]]:
    """The work of each kernel of a module, before a schedule changes its loops.

    Args:
        module: `tvm.IRModule` of TIR kernels with extents that are numbers.

    Returns:
        By the kernel's name, `flops`: the operations on numbers, as TVM counts them, a
        multiplication with an addition as two; and `bytes`: the size of its operands and results,
        each once.
    """
    import tvm
    from tvm.s_tir.analysis import estimate_tir_flops

    return {
        variable.name_hint: {
            "flops": float(estimate_tir_flops(tvm.IRModule({"main": function}))),
            "bytes": float(sum(map(_size, function.params))),
        }
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }


def _size(buffer: Any) -> float:
    import tvm_ffi

    width = tvm_ffi.dtype(buffer.dtype).itemsize
    return math.prod(int(side) for side in buffer.shape) * width
