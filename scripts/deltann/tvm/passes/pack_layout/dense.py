"""Matrix products; only their weights are packed."""

from typing import Any

from deltann.tvm.cpu import matrix_operators
from deltann.tvm.expressions import known_sides, sides
from deltann.tvm.passes.pack_layout.packing import Packing

# With fewer rows, reading the weights takes all the time.
FEW = 4


def is_dense(call: Any) -> bool:
    """Whether a matrix product has a kernel: its second operand is one matrix, or one per batch."""
    data, weight = (known_sides(operand) or [] for operand in call.args)
    if min(len(data), len(weight)) < 2:
        return False
    return len(weight) == 2 or data[:-2] == weight[:-2]


def dense(packing: Packing, call: Any) -> Any:
    """The call of a kernel for a product of matrices."""
    from tvm import relax

    data, weight = (packing.visit(item) for item in call.args)
    *outer, rows, inputs = sides(data)
    *matrices, _, outputs = sides(weight)
    if not matrices and rows < FEW:
        # one matrix of all rows
        flat = packing.emit(relax.op.reshape(data, [-1, inputs])) if outer else data
        result = _product(packing, call, flat, weight)
        return relax.op.reshape(packing.emit(result), [*outer, rows, outputs]) if outer else result
    return _product(packing, call, data, weight)


def _product(packing: Packing, call: Any, data: Any, weight: Any) -> Any:
    lanes, (*matrices, inputs, outputs) = packing.lanes, sides(weight)
    count = packing.blocks(outputs)
    order = [*range(len(matrices) + 3)] if matrices else [1, 0, 2]
    padded, shape = [*matrices, inputs, count * lanes], [*matrices, inputs, count, lanes]
    weight = packing.arrange(weight, padded, shape, order)
    arguments = [data, weight, outputs, call.attrs]
    if len(sides(data)) == 2 and sides(data)[0] < FEW:
        return packing.call_te(
            matrix_operators.dense, *arguments, primfunc_name_hint=matrix_operators.DENSE
        )
    return packing.call_te(
        matrix_operators.matmul,
        *arguments,
        packing.registers,
        primfunc_name_hint=matrix_operators.MATMUL,
    )
