"""Graph passes of our own, for what TVM's passes do slowly or don't see through."""


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
            if isinstance(expression, ir.expr.GenericConst):
                array = expression.value.numpy()
                return array if array.dtype == np.float32 else None
            return None

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


def cancel_transposes():
    """Move transposes behind clips and pads, which `ConvertLayout` doesn't see through.

    Each transpose then meets its inverse before the next convolution, and both go.
    """
    from tvm import ir, relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    def axes(call) -> list[int]:
        given = call.attrs.axes
        return list(reversed(range(len(call.ty.shape)))) if given is None else [*map(int, given)]

    @mutator
    class Sinker(PyExprMutator):
        def transposed(self, expression):
            """The `permute_dims` call that gives an argument, or None."""
            if isinstance(expression, relax.Var):
                expression = self.lookup_binding(expression)
            name = getattr(getattr(expression, "op", None), "name", None)
            return expression if name == "relax.permute_dims" else None

        def visit_call_(self, call):
            call = super().visit_call_(call)
            name = getattr(call.op, "name", None)
            if name not in ("relax.clip", "relax.nn.pad", "relax.permute_dims"):
                return call
            inner = self.transposed(call.args[0])
            if inner is None:
                return call
            source, order = inner.args[0], axes(inner)
            if name == "relax.permute_dims":
                order = [order[axis] for axis in axes(call)]
                if order == sorted(order):
                    return source
                return relax.op.permute_dims(source, order)
            if name == "relax.clip":
                moved = relax.op.clip(source, *call.args[1:])
            else:
                width = [0] * (2 * len(order))
                for axis, origin in enumerate(order):
                    width[2 * origin : 2 * origin + 2] = call.attrs.pad_width[
                        2 * axis : 2 * axis + 2
                    ]
                moved = relax.op.nn.pad(
                    source, width, pad_value=call.attrs.pad_value, pad_mode=call.attrs.pad_mode
                )
            return relax.op.permute_dims(self.builder_.emit(moved), order)

    def sink(module, _):
        sinker = Sinker(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                sinker.builder_.update_func(variable, sinker.visit_expr(function))
        return sinker.builder_.finalize()

    return ir.transform.module_pass(sink, opt_level=0, name="CancelTransposes")
