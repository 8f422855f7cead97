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


def known_sides(expression: Any) -> list[int] | None:
    """The shape of a tensor; None if a side isn't a number, or it is no single tensor."""
    from tvm import relax, tirx

    known = isinstance(expression.ty, relax.TensorType) and expression.ty.shape is not None
    shape = list(expression.ty.shape) if known else [None]
    return sides(expression) if all(isinstance(side, tirx.IntImm) for side in shape) else None


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
