"""The graph pass that computes arithmetic on constants by NumPy."""

from typing import Any

from deltann.precision import FLOAT16, FLOAT32
from deltann.tvm.compat import constant
from deltann.tvm.expressions import mutate_functions, operator
from deltann.tvm.passes import GraphPass

# The types whose arithmetic in NumPy is that of TVM's kernels.
REAL = (FLOAT16, FLOAT32)
# Operators that only move numbers, of any type.
MOVES = ("relax.expand_dims", "relax.permute_dims", "relax.reshape", "relax.nn.pad")


def fold_arithmetic() -> Any:
    """Fold what batch norms and layouts do to weights, as `FoldConstant` would.

    `FoldConstant` compiles a kernel for each such call, which takes ten times as long as all
    other passes of a level.
    """
    return GraphPass("FoldArithmetic", lambda module: mutate_functions(module, _folder()(module)))


def _folder() -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    import numpy as np
    from tvm import relax, tirx
    from tvm.relax.expr_functor import PyExprMutator, mutator

    evaluate = _evaluators()

    @mutator
    class Folder(PyExprMutator):
        def value(self, expression: Any) -> Any:
            """The value of a constant: an array, a scalar or a shape; None for any other."""
            if isinstance(expression, relax.Var):
                expression = self.lookup_binding(expression)
            if isinstance(expression, relax.ShapeExpr):
                return [int(side) for side in expression.values]
            if isinstance(expression, tirx.FloatImm):
                return np.float32(expression.value)
            return constant(expression)

        def visit_call_(self, call: Any) -> Any:
            call = super().visit_call_(call)
            function = evaluate.get(operator(call))
            if function is None or not _is_real(call):
                return call
            values = [self.value(argument) for argument in call.args]
            if any(value is None for value in values) or not _is_known(call, values):
                return call
            return relax.const(np.ascontiguousarray(function(call, *values)))

    return Folder


def _is_real(call: Any) -> bool:
    """Whether a call isn't a cast to another type than those of `REAL`."""
    return operator(call) != "relax.astype" or str(call.attrs.dtype) in REAL


def _is_known(call: Any, values: list) -> bool:
    """Whether NumPy computes on these types as TVM's kernels do."""
    # a shape is a list
    types = [str(value.dtype) for value in values if not isinstance(value, list)]
    return operator(call) in MOVES or all(kind in REAL for kind in types)


def _evaluators() -> dict:
    """By operator, a function of the call and its arguments' values to the result."""
    import numpy as np

    return {
        "relax.add": lambda call, a, b: a + b,
        "relax.subtract": lambda call, a, b: a - b,
        "relax.multiply": lambda call, a, b: a * b,
        "relax.divide": lambda call, a, b: a / b,
        "relax.negative": lambda call, a: -a,
        "relax.sqrt": lambda call, a: np.sqrt(a),
        "relax.astype": lambda call, a: a.astype(str(call.attrs.dtype)),
        "relax.expand_dims": lambda call, a: np.expand_dims(a, tuple(map(int, call.attrs.axis))),
        "relax.permute_dims": lambda call, a: a.transpose(
            None if call.attrs.axes is None else tuple(map(int, call.attrs.axes))
        ),
        "relax.reshape": lambda call, a, shape: a.reshape(shape),
        "relax.nn.pad": lambda call, a: np.pad(
            a,
            np.reshape([int(side) for side in call.attrs.pad_width], (-1, 2)),
            constant_values=call.attrs.pad_value,
        ),
    }
