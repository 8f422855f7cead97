"""What kernels have to do at the least: the operations, and the bytes that they read and write."""

import math
from typing import Any

from deltann.tvm.compat import is_constant


def of_kernels(module: Any) -> dict[str, dict[str, float]]:
    """The work of each kernel of a module, before a schedule changes its loops.

    Args:
        module: `tvm.IRModule` of TIR kernels with extents that are numbers, and of Relax functions
            that call them.

    Returns:
        By the kernel's name, `flops`: the operations on numbers, as TVM counts them, a
        multiplication with an addition as two; `bytes`: the size of its operands and results,
        each once; and `constant_bytes`: of these, the operands that are the same in each inference.
    """
    import tvm
    from tvm.s_tir.analysis import estimate_tir_flops

    constants = _constants(module)
    return {
        variable.name_hint: {
            "flops": float(estimate_tir_flops(tvm.IRModule({"main": function}))),
            "bytes": float(sum(map(_size, function.params))),
            "constant_bytes": float(
                sum(_size(function.params[place]) for place in constants[variable.name_hint])
            ),
        }
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }


def _constants(module: Any) -> dict[str, list[int]]:
    """By the kernel's name, which of its operands are constants, in its first call."""
    import tvm
    from tvm import relax

    found: dict[str, list[int]] = {
        variable.name_hint: []
        for variable, function in module.functions_items()
        if isinstance(function, tvm.tirx.PrimFunc)
    }
    called = set()

    def visit(expression: Any) -> None:
        if not isinstance(expression, relax.Call) or len(expression.args) < 2:
            return
        kernel, operands = expression.args[:2]
        if not isinstance(kernel, tvm.ir.GlobalVar) or kernel.name_hint in called:
            return
        called.add(kernel.name_hint)
        found[kernel.name_hint] = [
            place for place, operand in enumerate(operands) if is_constant(operand)
        ]

    for function in module.functions.values():
        if isinstance(function, relax.Function):
            relax.analysis.post_order_visit(function, visit)
    return found


def _size(buffer: Any) -> float:
    import tvm_ffi

    width = tvm_ffi.dtype(buffer.dtype).itemsize
    return math.prod(int(side) for side in buffer.shape) * width
