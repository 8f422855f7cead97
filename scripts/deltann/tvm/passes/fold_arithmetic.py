"""Graph passes of our own, for what TVM's passes do slowly or don't see through."""

from deltann.tvm.compat import constant


def fold_arithmetic():
    """Constant folding, by NumPy, of what batch norms and layouts do to weights.

    `FoldConstant` compiles a kernel for each such call, which takes ten times as long as the
    rest of a level.
    """
    import numpy as np
    from tvm import ir, relax, tirx
    from tvm.relax.expr_functor import PyExprMutator, mutator

    evaluate = {
        "relax.add": lambda call, a, b: a + b,
        "relax.subtract": lambda call, a, b: a - b,
        "relax.multiply": lambda call, a, b: a * b,
        "relax.divide": lambda call, a, b: a / b,
        "relax.negative": lambda call, a: -a,
        "relax.sqrt": lambda call, a: np.sqrt(a),
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

    @mutator
    class Folder(PyExprMutator):
        def value(self, expression):
            """What an argument is known to be: an array, a scalar, a shape; otherwise None."""
            if isinstance(expression, relax.Var):
                expression = self.lookup_binding(expression)
            if isinstance(expression, relax.ShapeExpr):
                return [int(side) for side in expression.values]
            if isinstance(expression, tirx.FloatImm):
                return np.float32(expression.value)
            array = constant(expression)
            return None if array is None or array.dtype != np.float32 else array

        def visit_call_(self, call):
            call = super().visit_call_(call)
            function = evaluate.get(getattr(call.op, "name", None))
            if function is None:
                return call
            values = [self.value(argument) for argument in call.args]
            if any(value is None for value in values):
                return call
            return relax.const(np.ascontiguousarray(function(call, *values)))

    def fold(module, _):
        folder = Folder(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                folder.builder_.update_func(variable, folder.visit_expr(function))
        return folder.builder_.finalize()

    return ir.transform.module_pass(fold, opt_level=0, name="FoldArithmetic")
