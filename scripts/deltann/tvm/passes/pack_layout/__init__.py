"""Graph passes that move a network to packed tensors (see `cpu.packed_operators`).

A handler, one per operator, takes the `Packing` and the call. It returns the packed result with
the channels and their axis of the plain tensor (the fields of `Packed`), or where its channels are
(`Moved`), or None where the operator must stay as it is.

Operators in the branches of an `If` stay as they are: in TVM 0.27 the second branch writes its
intermediate results to memory that only the first branch allocates, and crashes. So no pass of
ours adds intermediate results there.
"""

from typing import Any

from deltann.tvm.cpu.vectors import Vectors
from deltann.tvm.expressions import emit_in_place_of, mutate_functions, operator, values
from deltann.tvm.passes import GraphPass
from deltann.tvm.passes.pack_layout import (
    channel_moves,
    convolution,
    dense,
    elementwise,
    integer,
    padding,
    pooling,
)
from deltann.tvm.passes.pack_layout.packing import Moved, Packing

# stands for a `relax.TupleGetItem`, which calls no operator
SPLIT_PART = "relax.split part"
# by the type of the sums; `dense.dense` for all others
MATMULS = {"int32": integer.dense}
CONVOLUTION = {"relax.nn.conv2d": convolution.conv2d}
HANDLERS = {
    **CONVOLUTION,
    "relax.nn.max_pool2d": pooling.pool,
    "relax.nn.avg_pool2d": pooling.pool,
    "relax.nn.adaptive_avg_pool2d": pooling.global_pool,
    "relax.mean": pooling.mean,
    "relax.nn.pad": padding.pad,
    "relax.concat": channel_moves.concat,
    "relax.strided_slice": channel_moves.channel_slice,
    "relax.reshape": channel_moves.reshape,
    "relax.permute_dims": channel_moves.permute_dims,
    SPLIT_PART: channel_moves.split_part,
    **dict.fromkeys(elementwise.UNARY, elementwise.unary),
    **dict.fromkeys(elementwise.BINARY, elementwise.binary),
    "relax.divide": elementwise.divide,
    "relax.quantize": integer.scaled,
    "relax.dequantize": integer.scaled,
}


def pack_layout(vectors: Vectors) -> Any:
    """Convolutions and the operators between them, on packed tensors.

    TVM's own `ConvertLayout` packs only channels that the lanes divide, and `LegalizeOps` doesn't
    know the operators that it writes. Operators without a handler get plain tensors.

    Args:
        vectors: of the target.
    """
    return _pass("PackLayout", vectors, HANDLERS, propagate=True)


def pack_operators(vectors: Vectors) -> Any:
    """Each convolution and matrix product as a packed kernel between plain tensors.

    Lowers operators to kernels that the CPU schedules know, where `pack_layout` hasn't: each
    convolution packs its input and unpacks its result.

    Args:
        vectors: of the target.
    """
    return _pass("PackOperators", vectors, CONVOLUTION, propagate=False)


def _pass(name: str, vectors: Vectors, handlers: dict, propagate: bool) -> Any:
    def apply(module: Any) -> Any:
        return mutate_functions(module, _packer(vectors, handlers, propagate)(module))

    return GraphPass(name, apply)


def _packer(vectors: Vectors, handlers: dict, propagate: bool) -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Packer(PyExprMutator):
        def __init__(self, module: Any) -> None:
            super().__init__(module)
            self.packing = Packing(vectors, self, values(module))
            self.branches = 0  # around what is being visited

        def visit_if_(self, branching: Any) -> Any:
            self.branches += 1
            result = super().visit_if_(branching)
            self.branches -= 1
            return result

        def visit_var_binding_(self, binding: Any) -> None:
            value, packing = binding.value, self.packing
            part = isinstance(value, relax.TupleGetItem)
            handler = handlers.get(SPLIT_PART if part else operator(value))
            result = handler and not self.branches and handler(packing, value)
            if not result:
                super().visit_var_binding_(binding)
                return
            form = result if isinstance(result, Moved) else packing.packed(*result)
            # only the same dataflow block reads it, and no branch is inside one
            if propagate and isinstance(binding.var, relax.DataflowVar):
                packing.forms[binding.var] = form  # unpacked where a reader needs it
                return
            packed = packing.gather(form) if isinstance(form, Moved) else form
            emit_in_place_of(self, binding.var, packing.unpack(packed))

        def visit_var_(self, variable: Any) -> Any:
            plain = self.packing.plain(variable)
            return super().visit_var_(variable) if plain is None else plain

        def visit_dataflow_var_(self, variable: Any) -> Any:
            plain = self.packing.plain(variable)
            return super().visit_dataflow_var_(variable) if plain is None else plain

        def visit_call_(self, call: Any) -> Any:
            name = None if self.branches else operator(call)
            if name == "relax.matmul" and dense.is_dense(call):
                return MATMULS.get(str(call.ty.dtype), dense.dense)(self.packing, call)
            mean = pooling.flat_mean(self.packing, call) if name == "relax.mean" else None
            return super().visit_call_(call) if mean is None else mean

    return Packer
