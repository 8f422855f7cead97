"""Import model files into TVM."""

from pathlib import Path
from typing import Any

from deltann.formats import exported_program
from deltann.tvm.compat import constant
from deltann.tvm.expressions import operator, sides

IMPORTS = ("torch", "onnx", "tflite")


def import_model(model_file: Path, framework: str) -> Any:
    """Import a model file, with its weights as constants.

    Args:
        model_file: of the format of `framework`.
        framework: one of `IMPORTS`.

    Returns:
        `tvm.IRModule` whose `main` takes a float32 batch of one image and returns its logits.

    Raises:
        ValueError: a framework that isn't in `IMPORTS`.
    """
    if framework == "torch":
        return _torch(model_file)
    if framework == "onnx":
        return _onnx(model_file)
    if framework == "tflite":
        return _tflite(model_file)
    raise ValueError(f"framework {framework!r}; expected one of {', '.join(IMPORTS)}")


def _torch(model_file: Path) -> Any:
    from tvm.relax.frontend.torch import from_exported_program

    return from_exported_program(
        exported_program.load(model_file), keep_params_as_input=False, unwrap_unit_return_tuple=True
    )


def _onnx(model_file: Path) -> Any:
    import onnx
    from tvm.relax.frontend.onnx import from_onnx

    return _pads(_clips(from_onnx(onnx.load(model_file), keep_params_in_input=False)))


def _clips(module: Any) -> Any:
    """Replace ONNX `Clip` with constant bounds by `relax.clip`, as the other importers do.

    The ONNX importer writes minimum(maximum(x, low), high) as opaque kernels, with operators
    that guard against bounds that aren't numbers. Graph passes can't analyse them.
    """
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    values = relax.analysis.get_var2val(module["main"])

    def bound(expression: Any) -> float | None:
        expression = values.get(expression, expression)
        if operator(expression) == "relax.where":
            return bound(expression.args[2])
        value = constant(expression)
        return None if value is None or value.ndim else float(value)

    def extremum(call: Any, kind: str) -> Any:
        """The first operand of call_tir(<kind>, (x, bound)) and the bound's value, or None."""
        call = values.get(call, call)
        if operator(call) != "relax.call_tir" or len(call.args[1].fields) != 2:
            return None
        if not call.args[0].name_hint.startswith(kind):
            return None
        value = bound(call.args[1].fields[1])
        return None if value is None else (call.args[1].fields[0], value)

    @mutator
    class Clips(PyExprMutator):
        def visit_call_(self, call: Any) -> Any:
            upper = extremum(call, "minimum")
            lower = upper and extremum(upper[0], "maximum")
            if lower and lower[1] <= upper[1]:
                return relax.op.clip(self.visit_expr(lower[0]), lower[1], upper[1])
            return super().visit_call_(call)

    return _rewrite_main(module, Clips(module))


def _rewrite_main(module: Any, mutator: Any) -> Any:
    """The module with `main` rewritten by a `PyExprMutator` of it, without unused kernels."""
    from tvm import relax

    main = module.get_global_var("main")
    mutator.builder_.update_func(main, mutator.visit_expr(module["main"]))
    return relax.transform.DeadCodeElimination()(mutator.builder_.finalize())


def _pads(module: Any) -> Any:
    """Replace ONNX `Pad` with zeros by `relax.nn.pad`, which `PackLayout` knows.

    The ONNX importer writes it as an opaque kernel.
    """
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Pads(PyExprMutator):
        def visit_call_(self, call: Any) -> Any:
            if operator(call) == "relax.call_tir" and call.args[0].name_hint.startswith("pad"):
                widths = _widths(module[call.args[0]], call)
                if widths:
                    return relax.op.nn.pad(self.visit_expr(call.args[1].fields[0]), widths)
            return super().visit_call_(call)

    return _rewrite_main(module, Pads(module))


def _widths(kernel: Any, call: Any) -> list[int] | None:
    """By how much a kernel pads with zeros, before and after each axis; None if it does not pad.

    The importer doesn't keep the widths, so the kernel is run on numbered values.
    """
    import numpy as np
    import tvm

    if len(call.args[1].fields) != 1:
        return None
    shapes = [sides(item) for item in (call.args[1].fields[0], call)]
    given = np.arange(1, np.prod(shapes[0]) + 1, dtype=np.float32).reshape(shapes[0])
    result = tvm.runtime.tensor(np.zeros(shapes[1], np.float32))
    main = tvm.IRModule({"main": kernel.with_attr("global_symbol", "main")})
    tvm.compile(main, target={"kind": "llvm"})["main"](tvm.runtime.tensor(given), result)
    starts = np.argwhere(result.numpy() == 1)
    if len(starts) != 1:
        return None
    widths = [(s, after - s - before) for s, before, after in zip(starts[0], *shapes, strict=True)]
    if np.min(widths) < 0 or not np.array_equal(np.pad(given, widths), result.numpy()):
        return None
    return [int(width) for width in np.ravel(widths)]


def _tflite(model_file: Path) -> Any:
    import tflite
    from tvm.relax.frontend.tflite import from_tflite

    model = tflite.Model.GetRootAsModel(model_file.read_bytes(), 0)
    graph = model.Subgraphs(0)
    shape = graph.Tensors(graph.Outputs(0)).ShapeAsNumpy().tolist()
    return _with_output_shape(from_tflite(model), shape)


def _with_output_shape(module: Any, shape: list[int]) -> Any:
    """Reshape `main`'s result if its shape isn't the one that the file declares.

    TVM 0.27 keeps the leading dimensions of a TFLite fully connected layer's input, although
    the layer says not to: (1, 1, 1, classes) instead of (1, classes).
    """
    from tvm import relax

    function = module["main"]
    if [int(side) for side in function.ret_ty.shape] == shape:
        return module
    module = module.clone()
    del module[module.get_global_var("main")]
    private = function.without_attr("global_symbol")
    builder = relax.BlockBuilder(module)
    inner = builder.add_func(private, "imported")
    parameters = [relax.Var(item.name, item.ty) for item in function.params]
    with builder.function("main", parameters):
        with builder.dataflow():
            result = builder.emit(relax.Call(inner, parameters))
            answer = builder.emit_output(relax.op.reshape(result, shape))
        builder.emit_func_output(answer)
    return relax.transform.InlinePrivateFunctions()(builder.finalize())
