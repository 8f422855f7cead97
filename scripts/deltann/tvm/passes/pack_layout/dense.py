"""Matrix products; only their weights are packed."""

from typing import Any

from deltann.tvm.cpu import packed_operators
from deltann.tvm.expressions import sides
from deltann.tvm.passes.pack_layout.packing import Packing


def is_dense(call: Any) -> bool:
    """Whether both operands of a matrix product are matrices."""
    return all(_is_matrix(operand) for operand in call.args)


def _is_matrix(operand: Any) -> bool:
    from tvm import relax

    known = isinstance(operand.ty, relax.TensorType) and operand.ty.shape is not None
    return known and len(list(operand.ty.shape)) == 2


def dense(packing: Packing, call: Any) -> Any:
    """The call of a kernel for a product of matrices."""
    data, weight = (packing.visit(item) for item in call.args)
    inputs, outputs = sides(weight)
    count = packing.blocks(outputs)
    padded, shape = [inputs, count * packing.lanes], [inputs, count, packing.lanes]
    weight = packing.arrange(weight, padded, shape, [1, 0, 2])
    return packing.call_te(
        packed_operators.dense,
        data,
        weight,
        outputs,
        call.attrs,
        primfunc_name_hint=packed_operators.DENSE,
    )
