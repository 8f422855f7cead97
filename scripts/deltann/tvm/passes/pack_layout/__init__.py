"""Graph passes that move a network to packed tensors (see `cpu.packed_operators`).

A handler, one per operator, takes the `Packing` and the call. It returns the packed result with
the channels and their axis of the plain tensor (the fields of `Packed`), or None where the
operator must stay as it is.
"""

from typing import Any

from deltann.tvm.cpu.vectors import Vectors
from deltann.tvm.expressions import mutate_functions, operator
from deltann.tvm.passes.pack_layout import convolution, dense, elementwise, pooling, shapes
from deltann.tvm.passes.pack_layout.packing import Packed, Packing

CONVOLUTION = {"relax.nn.conv2d": convolution.conv2d}
HANDLERS = {
    **CONVOLUTION,
    "relax.nn.max_pool2d": pooling.pool,
    "relax.nn.avg_pool2d": pooling.pool,
    "relax.nn.adaptive_avg_pool2d": pooling.global_pool,
    "relax.mean": pooling.mean,
    "relax.nn.pad": shapes.pad,
    "relax.concat": shapes.concat,
    "relax.strided_slice": shapes.channel_slice,
    "relax.permute_dims": shapes.permute_dims,
    **dict.fromkeys(elementwise.UNARY, elementwise.unary),
    **dict.fromkeys(elementwise.BINARY, elementwise.binary),
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
    from tvm import ir

    def apply(module: Any, _: Any) -> Any:
        return mutate_functions(module, _packer(vectors, handlers, propagate)(module))

    return ir.transform.module_pass(apply, opt_level=0, name=name)


def _packer(vectors: Vectors, handlers: dict, propagate: bool) -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Packer(PyExprMutator):
        def __init__(self, module: Any) -> None:
            super().__init__(module)
            self.packing = Packing(vectors, self)

        def visit_var_binding_(self, binding: Any) -> None:
            handler = handlers.get(operator(binding.value))
            result = handler and handler(self.packing, binding.value)
            if not result:
                super().visit_var_binding_(binding)
                return
            expression, channels, axis = result
            if not isinstance(expression, relax.Var):
                expression = self.builder_.emit(expression)
            packed = Packed(expression, channels, axis)
            inner = isinstance(binding.var, relax.DataflowVar)
            if propagate and inner:
                self.packing.tensors[binding.var] = packed  # unpacked where a reader needs it
                return
            emit = self.builder_.emit if inner else self.builder_.emit_output
            self.set_var_remap(binding.var, emit(self.packing.unpack(packed)))

        def visit_var_(self, variable: Any) -> Any:
            plain = self.packing.plain(variable)
            return super().visit_var_(variable) if plain is None else plain

        def visit_dataflow_var_(self, variable: Any) -> Any:
            plain = self.packing.plain(variable)
            return super().visit_dataflow_var_(variable) if plain is None else plain

        def visit_call_(self, call: Any) -> Any:
            name = operator(call)
            if name == "relax.matmul" and dense.is_dense(call):
                return dense.dense(self.packing, call)
            if name == "relax.mean" and pooling.is_spatial(self.packing, call):
                return pooling.flat_mean(self.packing, call)
            return super().visit_call_(call)

    return Packer
