"""The graph pass that prepares a model for TVM's `ToMixedPrecision`."""

from typing import Any

from deltann.tvm.expressions import mutate_functions, operator
from deltann.tvm.passes import GraphPass


def split_clips() -> Any:
    """Write clip(x, low, high) as maximum(minimum(x, high), low), which is how it is computed.

    `ToMixedPrecision` of TVM 0.27 fails on operands that aren't tensors, such as clip's bounds:
    "Expected TensorType, but got T.float64". Clips in the branches of an `If` stay, for the reason
    that `pack_layout` states.
    """
    return GraphPass("SplitClips", lambda module: mutate_functions(module, _splitter()(module)))


def _splitter() -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Splitter(PyExprMutator):
        def __init__(self, module: Any) -> None:
            super().__init__(module)
            self.branches = 0  # around what is being visited

        def visit_if_(self, branching: Any) -> Any:
            self.branches += 1
            result = super().visit_if_(branching)
            self.branches -= 1
            return result

        def visit_call_(self, call: Any) -> Any:
            call = super().visit_call_(call)
            if self.branches or operator(call) != "relax.clip":
                return call
            data, low, high = call.args
            low, high = (relax.const(float(item.value), str(data.ty.dtype)) for item in (low, high))
            return relax.op.maximum(self.builder_.emit(relax.op.minimum(data, high)), low)

    return Splitter
