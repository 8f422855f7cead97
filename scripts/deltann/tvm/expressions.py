"""Questions about Relax expressions, and passes that apply a mutator."""

from collections.abc import Callable
from typing import Any


def operator(expression: Any) -> str | None:
    """The name of the operator that an expression calls, as `relax.add`; None for any other."""
    from tvm import ir

    if isinstance(expression, ir.Call) and isinstance(expression.op, ir.Op):
        return expression.op.name
    return None


def sides(expression: Any) -> list[int]:
    """The shape of a tensor."""
    return [int(side) for side in expression.ty.shape]


def known_sides(expression: Any) -> list[int] | None:
    """The shape of a tensor; None if a side isn't a number, or it is no single tensor."""
    from tvm import relax, tirx

    known = isinstance(expression.ty, relax.TensorType) and expression.ty.shape is not None
    shape = list(expression.ty.shape) if known else [None]
    return sides(expression) if all(isinstance(side, tirx.IntImm) for side in shape) else None


def values(module: Any) -> dict:
    """The expression that each variable of a module's Relax functions is bound to."""
    from tvm import relax

    functions = (item for _, item in module.functions_items() if isinstance(item, relax.Function))
    return {
        key: value for item in functions for key, value in relax.analysis.get_var2val(item).items()
    }


def emit_in_place_of(mutator: Any, variable: Any, expression: Any) -> None:
    """Bind an expression to a new variable, which readers of `variable` get instead.

    In a dataflow block, only an output can be read outside of it. Branches, and functions with
    one, have blocks without outputs: all their variables can be read from anywhere.

    Args:
        mutator: a `PyExprMutator` that visits the binding of `variable`.
        variable: `relax.Var`.
        expression: of the same type.
    """
    from tvm import relax

    builder = mutator.builder_
    inner = isinstance(variable, relax.DataflowVar) or not builder.current_block_is_dataflow()
    emit = builder.emit if inner else builder.emit_output
    mutator.set_var_remap(variable, emit(expression))


def mutate_functions(module: Any, mutator: Any) -> Any:
    """The module with each of its Relax functions rewritten by a `PyExprMutator` of the module."""
    from tvm import relax

    for variable, function in module.functions_items():
        if isinstance(function, relax.Function):
            mutator.builder_.update_func(variable, mutator.visit_expr(function))
    return mutator.builder_.finalize()


def rewrite_calls(module: Any, rewrite: Callable[[Any, Any], Any]) -> Any:
    """The module with its calls rewritten, but for those in the branches of an `If`.

    `passes.pack_layout` states why no pass of ours changes branches.

    Args:
        module: `tvm.IRModule`.
        rewrite: from a `relax.BlockBuilder`, which binds intermediate results, and a call, whose
            arguments are rewritten already, to what takes its place.
    """
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Rewriter(PyExprMutator):
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
            return call if self.branches else rewrite(self.builder_, call)

    return mutate_functions(module, Rewriter(module))
