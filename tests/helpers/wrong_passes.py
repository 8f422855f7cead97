"""Passes and schedules that are made to go wrong in a compilation, each in one place.

Run in TVM's environment: `wrong_passes.py <folder>`. It prints as JSON what each kind comes to: the
class and message of the exception; or the compilation's `check` and what was `unchecked`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import odd_models
import onnx
import tvm
from tvm import relax, tirx

from deltann import spot_check
from deltann.stages import compile
from deltann.tvm import levels
from deltann.tvm.cpu import schedules
from deltann.tvm.passes import GraphPass

HOST = {"kind": "llvm", "mcpu": "host"}


def wrapped(module, last: Callable):
    """A module whose `main` applies an operator to what it gave before."""
    module = module.clone()
    function = module["main"]
    del module[module.get_global_var("main")]
    builder = relax.BlockBuilder(module)
    inner = builder.add_func(function.without_attr("global_symbol"), "before")
    parameters = [relax.Var(item.name, item.ty) for item in function.params]
    with builder.function("main", parameters):
        with builder.dataflow():
            answer = builder.emit(relax.Call(inner, parameters))
            answer = builder.emit_output(last(answer))
        builder.emit_func_output(answer)
    return relax.transform.InlinePrivateFunctions()(builder.finalize())


def larger(module):
    """The module with an answer that is a hundredth larger."""
    return wrapped(module, lambda answer: relax.op.multiply(answer, relax.const(1.01, "float32")))


def without_a_kernel(module):
    """The module without a kernel that it calls."""
    module = module.clone()
    del module[next(k for k, v in module.functions_items() if isinstance(v, tirx.PrimFunc))]
    return module


def after(name: str, wrong: Callable):
    """Let what follows a pass of ours go wrong."""
    right = GraphPass.__call__

    def planted(self, module):
        module = right(self, module)
        return wrong(module) if self.info.name == name else module

    return mock.patch.object(GraphPass, "__call__", planted)


def theirs():
    """Let a pass of TVM's apply an operator too many."""
    right = relax.transform.EliminateCommonSubexpr

    def made():
        return tvm.transform.module_pass(
            lambda module, _: larger(right()(module)),
            opt_level=0,
            name="EliminateCommonSubexpr",
        )

    return mock.patch.object(relax.transform, "EliminateCommonSubexpr", made)


def scheduled():
    """Let our schedules start a convolution's sums at 1."""
    right = schedules.apply

    def planted(module, tuned=None):
        module, unscheduled = right(module, tuned)
        name, kernel = next(
            (name, item) for name, item in module.functions_items() if "conv2d" in name.name_hint
        )
        text = kernel.script().replace("T.float32(0.0)", "T.float32(1.0)")
        assert text != kernel.script(), text
        module = module.clone()
        module.update_func(name, tvm.script.from_source(text))
        return module, unscheduled

    return mock.patch.object(schedules, "apply", planted)


def compiled(folder: Path, target: dict = HOST) -> dict:
    """What the compilation of a small model at O3 comes to."""
    spot_check._unchecked.clear()
    try:
        details = compile.work(
            before={"precision": {"operators": {}}},
            framework="onnx",
            passes=list(levels.LEVELS["O3"]),
            schedule="rules",
            target=target,
            model_file=str(folder / "model.onnx"),
            output=str(folder / "model.so"),
            graph=str(folder / "graph.txt"),
        )
    except Exception as error:
        return {"type": type(error).__name__, "message": str(error)}
    return {"check": details["check"], "unchecked": details.get("unchecked", {})}


def main(folder: Path) -> None:
    """Compile the model with each plant, and print what happened."""
    onnx.save(odd_models.padded("float32"), folder / "model.onnx")
    plants = {
        "repair": after("RepairPads", larger),
        "packing": after("PackLayout", larger),
        "broken": after("PackOperators", without_a_kernel),
        "schedules": scheduled(),
        "theirs": theirs(),
    }
    outcomes = {"right": compiled(folder)}
    outcomes["foreign"] = compiled(folder, {"kind": "llvm", "mtriple": "aarch64-linux-gnu"})
    for name, plant in plants.items():
        with plant:
            outcomes[name] = compiled(folder)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
