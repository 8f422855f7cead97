"""An imported model, run binding by binding, so that each of its tensors can be read and replaced.

Each binding of the Relax function `main` is compiled as a function of its own, once, without fusion
and schedule. Which of them run, and on what, is decided here: a replaced tensor needs no other
compilation.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deltann.tvm import target_kinds
from deltann.tvm.llvm_names import HOST
from deltann.tvm.target_kinds import CPU

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Step:
    """One binding.

    Attributes:
        name: of the variable; unique.
        value: the Relax expression.
        reads: names of the variables in it.
    """

    name: str
    value: Any
    reads: tuple[str, ...]


class Stepwise:
    """The function `main` of a module, compiled for this machine's processor.

    Args:
        module: `tvm.IRModule`, whose `main` takes one tensor.

    Attributes:
        steps: in running order.
        input, output: names of variables.
        variables: the expression of each variable, and of the input.
        dependent: names of the variables that depend on the input, itself among them.
    """

    def __init__(self, module: Any) -> None:
        from tvm import relax

        module = relax.transform.ToNonDataflow()(module)
        main = module["main"]
        (parameter,) = main.params
        self._names: dict[Any, str] = {}
        self.input = self._named(parameter)
        self.variables = {self.input: parameter}
        self.steps: list[Step] = []
        for block in main.body.blocks:
            for binding in block.bindings:
                value = binding.value
                reads = tuple(self._names[item] for item in relax.analysis.free_vars(value))
                name = self._named(binding.var)
                self.variables[name] = binding.var
                self.steps.append(Step(name, value, reads))
        body = main.body.body
        self.output = self.name(body.fields[0] if isinstance(body, relax.Tuple) else body)
        self.dependent = {self.input}
        for step in self.steps:
            if self.dependent.intersection(step.reads):
                self.dependent.add(step.name)
        self._machine = self._compiled(module)
        self._constants: dict[str, Any] = {}

    def name(self, variable: Any) -> str:
        """What a variable is called here."""
        return self._names[variable]

    def known(self, expression: Any) -> str:
        """What an expression is called here if it is a variable; empty if not."""
        from tvm import relax

        return self._names[expression] if isinstance(expression, relax.Var) else ""

    def is_tuple(self, name: str) -> bool:
        """Whether a variable holds several tensors."""
        from tvm import ir

        return isinstance(self.variables[name].ty, ir.TupleType)

    def sizes(self, name: str) -> tuple[tuple[int, ...], ...]:
        """The shapes of the tensors that a variable holds; none that isn't known."""
        from tvm import relax

        given = self.variables[name].ty
        fields = given.fields if self.is_tuple(name) else [given]
        tensors = [item for item in fields if isinstance(item, relax.TensorType)]
        return tuple(tuple(map(int, item.shape)) for item in tensors if item.shape is not None)

    @cached_property
    def items(self) -> dict[str, dict[int, str]]:
        """By computed tuple, the first variable that each of its items is bound to."""
        from tvm import relax

        computed = {step.name for step in self.steps if not _moved(step.value)}
        found: dict[str, dict[int, str]] = {}
        for step in self.steps:
            if isinstance(step.value, relax.TupleGetItem):
                of = self.known(step.value.tuple_value)
                if of in computed:
                    found.setdefault(of, {}).setdefault(step.value.index, step.name)
        return found

    def reads(self, step: Step) -> list[str]:
        """The variables that hold the tensors that a step reads, in its order."""
        items, values = self.items, {item.name: item.value for item in self.steps}

        def tensors(value: Any) -> list[str]:
            name = self.known(value)
            if not name:
                return [found for part in _parts(value) for found in tensors(part)]
            if not self.is_tuple(name):
                return [name]
            return [*items.get(name, {}).values()] or tensors(values[name])

        return [name for part in _parts(step.value) for name in tensors(part)]

    def _named(self, variable: Any) -> str:
        taken, name, count = set(self._names.values()), variable.name, 1
        while name in taken:
            count += 1
            name = f"{variable.name}_{count}"
        self._names[variable] = name
        return name

    def _compiled(self, module: Any) -> Any:
        """TVM's virtual machine with a function for each step that computes something."""
        import tvm
        from tvm import relax
        from tvm.relax import transform
        from tvm.relax.utils import copy_with_new_vars

        parts = {variable: item for variable, item in module.functions.items()}
        parts.pop(module.get_global_var("main"))
        for number, step in enumerate(self.steps):
            if _moved(step.value):
                continue
            variable = self.variables[step.name]
            block = relax.BindingBlock([relax.VarBinding(variable, step.value)])
            taken = [self.variables[name] for name in step.reads]
            body = relax.SeqExpr([block], variable)
            function = relax.Function(taken, body, variable.ty, is_pure=True)
            name = _function(number)
            copied = copy_with_new_vars(function).with_attr("global_symbol", name)
            parts[tvm.ir.GlobalVar(name)] = copied
        kind = target_kinds.get(CPU)
        target = tvm.target.Target(kind.resolve({"kind": CPU, "mcpu": HOST}) | {"opt-level": 1})
        passes = [transform.DecomposeOpsForInference(), transform.LegalizeOps(), *kind.lowering()]
        with target, tvm.transform.PassContext(opt_level=3):
            lowered = tvm.transform.Sequential(passes)(tvm.IRModule(parts))
            built = tvm.compile(lowered, target, relax_pipeline=tvm.transform.Sequential([]))
        return relax.VirtualMachine(built, tvm.cpu())

    def run(self, given: "Mapping[str, np.ndarray]", wanted: Collection[str]) -> dict[str, Any]:
        """Compute some variables from others.

        Args:
            given: by name, arrays of the variables' types; the input need be among them only if
                something wanted depends on it.
            wanted: names.

        Returns:
            By name, arrays; lists of them for tuples.
        """
        import tvm

        held = {name: tvm.runtime.tensor(value) for name, value in given.items()}
        needed = self._needed(held.keys() | self._constants.keys(), wanted)
        last = {name: step.name for step in needed for name in step.reads}
        held = self._constants | held
        for step in needed:
            held[step.name] = self._step(step, held)
            if step.name not in self.dependent:
                self._constants[step.name] = held[step.name]
            for name in step.reads:
                if last[name] == step.name and name not in wanted:
                    held.pop(name, None)
        return {name: _array(held[name]) for name in wanted}

    def _needed(self, held: Collection[str], wanted: Collection[str]) -> list[Step]:
        """The steps that lead from what is there to what is wanted, in running order."""
        missing, found = set(wanted) - set(held), []
        for step in reversed(self.steps):
            if step.name in missing:
                found.append(step)
                missing |= set(step.reads) - set(held)
        return found[::-1]

    def _step(self, step: Step, held: dict[str, Any]) -> Any:
        if _moved(step.value):
            return self._read(step.value, held)
        arguments = [held[name] for name in step.reads]
        return self._machine[_function(self.steps.index(step))](*arguments)

    def _read(self, value: Any, held: dict[str, Any]) -> Any:
        """A variable, or a tuple or an item of one; nothing is computed."""
        from tvm import relax

        if isinstance(value, relax.TupleGetItem):
            return self._read(value.tuple_value, held)[value.index]
        if isinstance(value, relax.Tuple):
            return [self._read(item, held) for item in value.fields]
        return held[self.name(value)]


def _function(number: int) -> str:
    return f"step_{number}"


def _moved(value: Any) -> bool:
    """Whether an expression only names variables."""
    from tvm import relax

    if isinstance(value, relax.TupleGetItem):
        return _moved(value.tuple_value)
    if isinstance(value, relax.Tuple):
        return all(_moved(item) for item in value.fields)
    return isinstance(value, relax.Var)


def _parts(value: Any) -> list[Any]:
    """What an expression is made of."""
    from tvm import ir, relax

    if isinstance(value, ir.Call):
        return list(value.args)
    if isinstance(value, relax.TupleGetItem):
        return [value.tuple_value]
    if isinstance(value, relax.Tuple):
        return list(value.fields)
    return list(relax.analysis.free_vars(value))


def _array(value: Any) -> Any:
    import tvm

    if isinstance(value, tvm.runtime.Tensor):
        return value.numpy()
    return [_array(item) for item in value]
