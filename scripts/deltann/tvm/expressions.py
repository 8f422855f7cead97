"""Questions about Relax expressions, and a pass that applies a mutator."""

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


def mutate_functions(module: Any, mutator: Any) -> Any:
    """The module with each of its Relax functions rewritten by a `PyExprMutator` of the module."""
    from tvm import relax

    for variable, function in module.functions_items():
        if isinstance(function, relax.Function):
            mutator.builder_.update_func(variable, mutator.visit_expr(function))
    return mutator.builder_.finalize()
