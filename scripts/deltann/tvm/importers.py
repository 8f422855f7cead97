"""Import model files into TVM."""

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from deltann.formats import exported_program, onnx_types, tflite_types
from deltann.formats.tensor_types import FLOAT32, TensorType
from deltann.tvm.compat import constant
from deltann.tvm.expressions import known_sides, operator
from deltann.tvm.passes import GraphPass
from deltann.tvm.tuning import workload

IMPORTS = ("torch", "onnx", "tflite")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Imported(NamedTuple):
    """A model file, imported.

    Attributes:
        original: what TVM's importer made of it, `tvm.IRModule`.
        repairs: what this project changes in that.
    """

    original: Any
    repairs: list[GraphPass]

    def repaired(self) -> Any:
        """The `tvm.IRModule` after the repairs."""
        module = self.original
        for repair in self.repairs:
            module = repair(module)
        return module


def import_model(model_file: Path, framework: str) -> Imported:
    """Import a model file, with its weights as constants.

    Args:
        model_file: of the format of `framework`.
        framework: one of `IMPORTS`.

    Returns:
        Modules whose `main` takes a batch of one image and returns its logits, both of the file's
        types.

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


def tensor_types(model_file: Path, framework: str) -> dict[str, dict]:
    """The types of a model file's input and output, with the scales that the file has for them.

    Returns:
        `input_type` and `output_type`, the fields of `TensorType`.
    """
    if framework == "torch":
        taken = TensorType(exported_program.input_dtype(exported_program.load(model_file)))
        given = FLOAT32  # PyTorch has no scales for whole numbers
    elif framework == "onnx":
        import onnx

        graph = onnx.load(model_file, load_external_data=False).graph
        taken, given = onnx_types.input_type(graph), onnx_types.output_type(graph)
    else:
        taken, given = tflite_types.types(model_file.read_bytes())
    return {"input_type": asdict(taken), "output_type": asdict(given)}


def _torch(model_file: Path) -> Imported:
    from tvm.relax.frontend.torch import from_exported_program

    program = exported_program.load(model_file)
    module = from_exported_program(
        program, keep_params_as_input=False, unwrap_unit_return_tuple=True
    )
    return Imported(module, [])


def _onnx(model_file: Path) -> Imported:
    import onnx
    from tvm.relax.frontend.onnx import from_onnx

    module = from_onnx(onnx.load(model_file), keep_params_in_input=False)
    repairs = {"Clips": _clips, "Pads": _pads, "Names": _names}
    return Imported(
        module,
        [GraphPass(f"Repair{k}", v, f"the repair of imported {k}") for k, v in repairs.items()],
    )


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
        known = value is not None and not value.ndim and "float" in str(value.dtype)
        return float(value) if known else None

    def extremum(call: Any, kind: str) -> Any:
        """The first operand of call_tir(<kind>, (x, bound)) and the bound's value, or None."""
        call = values.get(call, call)
        if operator(call) != "relax.call_tir" or len(call.args[1].fields) != 2:
            return None
        if not call.args[0].name_hint.startswith(kind):
            return None
        value = bound(call.args[1].fields[1])
        return None if value is None else (call.args[1].fields[0], value)

    def readable(inner: Any, outer: Any) -> bool:
        """Whether what can read `outer` can read `inner`, which `outer` is made of."""
        return isinstance(outer, relax.DataflowVar) or not isinstance(inner, relax.DataflowVar)

    @mutator
    class Clips(PyExprMutator):
        def visit_call_(self, call: Any) -> Any:
            upper = extremum(call, "minimum")
            lower = upper and extremum(upper[0], "maximum")
            if lower and lower[1] <= upper[1] and readable(lower[0], upper[0]):
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


def _names(module: Any) -> Any:
    """Give `main`'s input a name that is one in C, too.

    TVM writes it into CUDA code as it is, and `gpu_0/data_0` doesn't compile.
    """
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    parameters = module["main"].params
    if all(IDENTIFIER.fullmatch(item.name) for item in parameters):
        return module

    @mutator
    class Names(PyExprMutator):
        def visit_var_def_(self, variable: Any) -> Any:
            if not any(variable.same_as(item) for item in parameters):
                return variable
            name = "input_" + re.sub(r"\W", "_", variable.name, flags=re.ASCII)
            renamed = relax.Var(name, variable.ty)
            self.set_var_remap(variable, renamed)
            return renamed

    return _rewrite_main(module, Names(module))


def _widths(kernel: Any, call: Any) -> list[int] | None:
    """By how much a kernel pads with zeros, before and after each axis; None if it does not pad.

    The importer doesn't keep the widths, so the kernel is run, on tensors of zeros and ones, which
    every type of number can hold: each has one bit of the number of every element.
    """
    import numpy as np

    if len(call.args[1].fields) != 1:
        return None
    taken, given = call.args[1].fields[0], call
    before, after = known_sides(taken), known_sides(given)
    if before is None or after is None or len(before) != len(after) or not min(before, default=0):
        return None
    kind = str(given.ty.dtype)
    if str(taken.ty.dtype) != kind or "float" not in kind:
        return None  # only passes on real numbers know `relax.nn.pad`
    run = _runner(kernel, kind, after)
    numbers = np.arange(np.prod(before)).reshape(before)
    starts = np.argwhere(run(numbers == 0))
    if len(starts) != 1:
        return None
    widths = [(start, b - start - a) for start, a, b in zip(starts[0], before, after, strict=True)]
    if np.min(widths) < 0:
        return None
    places = range(int(numbers.max()).bit_length())
    bits = [numbers < 0, *(numbers >> place & 1 for place in places)]
    if not all(np.array_equal(np.pad(item, widths), run(item)) for item in bits):
        return None
    return [int(width) for width in np.ravel(widths)]


def _runner(kernel: Any, kind: str, shape: list[int]) -> Any:
    """A function from an array of zeros and ones to a kernel's result, as float32.

    Args:
        kernel: `tvm.tirx.PrimFunc` of one tensor.
        kind: the type of both tensors' elements.
        shape: of its result.
    """
    import numpy as np
    import tvm

    compiled = tvm.compile(workload(kernel), target={"kind": "llvm"})

    def run(values: Any) -> Any:
        result = tvm.runtime.tensor(np.ones(shape, kind))
        compiled["main"](tvm.runtime.tensor(values.astype(kind)), result)
        return result.numpy().astype(np.float32)

    return run


def _tflite(model_file: Path) -> Imported:
    import tflite
    from tvm.relax.frontend.tflite import from_tflite

    model = tflite.Model.GetRootAsModel(model_file.read_bytes(), 0)
    graph = model.Subgraphs(0)
    shape = graph.Tensors(graph.Outputs(0)).ShapeAsNumpy().tolist()
    repair = GraphPass(
        "RepairOutput",
        lambda module: _with_output_shape(module, shape),
        "the repair of an imported output's shape",
    )
    names = GraphPass("RepairNames", _names, "the repair of imported Names")
    return Imported(from_tflite(model), [repair, names])


def _with_output_shape(module: Any, shape: list[int]) -> Any:
    """Reshape `main`'s result if its shape isn't the one that the file declares.

    TVM 0.27 keeps the leading dimensions of a TFLite fully connected layer's input, although
    the layer says not to: (1, 1, 1, classes) instead of (1, classes).
    """
    from tvm import relax

    function = module["main"]
    given = known_sides(function.body)
    if given is None or given == shape or math.prod(given) != math.prod(shape):
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
