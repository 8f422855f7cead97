"""The graph pass that makes one convolution of several that read the same tensor."""

from collections import defaultdict
from itertools import takewhile
from typing import NamedTuple

from deltann.tvm.compat import constant

# Elementwise operators after a convolution that branches may have in common.
TAILS = ("relax.add", "relax.nn.relu", "relax.clip")


class Branch(NamedTuple):
    """A convolution and the elementwise operators behind it, as bindings; its weight, an array."""

    chain: list
    weight: object


def combine_parallel_conv2d():
    """One convolution in place of several that read the same tensor with windows of one shape.

    Their weights are joined, so are the constants that each adds to its channels, and the result
    is cut into each one's channels. Relay had such a pass, CombineParallelConv2D; Relax has none.
    """
    from tvm import ir, relax

    def apply(module, _):
        combiner = _combiner()(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                combiner.plan(function)
                combiner.builder_.update_func(variable, combiner.visit_expr(function))
        return combiner.builder_.finalize()

    return ir.transform.module_pass(apply, opt_level=0, name="CombineParallelConv2D")


def _combiner():
    """The mutator's class; made here since TVM must be imported first."""
    import numpy as np
    import tvm_ffi
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    def operator(binding) -> str | None:
        return getattr(getattr(binding.value, "op", None), "name", None)

    def array(expression, values: dict):
        """The array that an argument is known to be, or None."""
        return constant(values.get(expression, expression))

    def channel_axis(convolution) -> int:
        """Of a convolution's result, from the end, where shapes are aligned."""
        attributes = convolution.attrs
        return (attributes.out_layout or attributes.data_layout).index("C") - 4

    @mutator
    class Combiner(PyExprMutator):
        def plan(self, function) -> None:
            """Find the groups of a function: their first convolution, and what goes with it."""
            self.values = dict(relax.analysis.get_var2val(function))
            self.firsts: dict = {}
            self.gone: set = set()
            readers = defaultdict(list)
            bindings = [b for block in function.body.blocks for b in block.bindings]
            for binding in bindings:
                for variable in relax.analysis.free_vars(binding.value):
                    readers[variable].append(binding)
            groups = defaultdict(list)
            for binding in bindings:
                if operator(binding) == "relax.nn.conv2d":
                    weight = array(binding.value.args[1], self.values)
                    if weight is not None and int(binding.value.attrs.groups) == 1:
                        branch = Branch(self.chain(binding, readers), weight)
                        groups[self.key(binding.value, weight)].append(branch)
            for branches in groups.values():
                if len(branches) > 1:
                    common = self.common(branches)
                    cut = [Branch(b.chain[:common], b.weight) for b in branches]
                    self.firsts[cut[0].chain[0].var] = cut
                    self.gone |= {item.var for branch in cut for item in branch.chain}

        def chain(self, binding, readers) -> list:
            """A convolution and what alone reads it, and so on, within its dataflow block."""
            chain = [binding]
            while isinstance(chain[-1].var, relax.DataflowVar):
                found = readers[chain[-1].var]
                if len(found) != 1 or operator(found[0]) not in TAILS:
                    break
                if found[0].value.args[0] != chain[-1].var:
                    break
                chain.append(found[0])
            return chain

        def key(self, call, weight) -> tuple:
            layout = call.attrs.kernel_layout
            window = [weight.shape[layout.index(letter)] for letter in "HW"]
            return call.args[0], str(call.attrs), *window, str(weight.dtype)

        def common(self, branches: list[Branch]) -> int:
            """How many operators, from the convolution on, all branches have in common."""
            steps = zip(*(branch.chain for branch in branches), strict=False)
            axis = channel_axis(branches[0].chain[0].value)
            channels = [self.channels(branch) for branch in branches]
            alike = takewhile(lambda step: self.alike(step, axis, channels), steps)
            return sum(1 for _ in alike)

        def channels(self, branch: Branch) -> int:
            layout = branch.chain[0].value.attrs.kernel_layout
            return branch.weight.shape[layout.index("O")]

        def alike(self, step: tuple, axis: int, channels: list[int]) -> bool:
            """Whether operators, one a branch, are one operator on the joined channels."""
            first, *others = (item.value for item in step)
            if any(operator(item) != operator(step[0]) for item in step):
                return False
            if operator(step[0]) == "relax.nn.conv2d":
                return True
            if operator(step[0]) == "relax.add":
                added = [array(item.value.args[1], self.values) for item in step]
                return all(
                    one is not None and one.ndim >= -axis and one.shape[axis] == one.size == count
                    for one, count in zip(added, channels, strict=True)
                )
            return all(
                tvm_ffi.structural_equal(one, like)
                for other in others
                for one, like in zip(other.args[1:], first.args[1:], strict=True)
            )

        def visit_var_binding_(self, binding) -> None:
            if binding.var in self.firsts:
                self.emit_together(self.firsts[binding.var])
            elif binding.var not in self.gone:
                super().visit_var_binding_(binding)

        def emit_together(self, branches: list[Branch]) -> None:
            """Emit the joined operators, and each branch's share of the result."""
            first = branches[0].chain[0].value
            outputs = first.attrs.kernel_layout.index("O")
            axis = channel_axis(first)
            weight = np.concatenate([branch.weight for branch in branches], axis=outputs)
            arguments = [self.visit_expr(first.args[0]), relax.const(weight)]
            result = self.builder_.emit(relax.Call(first.op, arguments, first.attrs))
            for step in list(zip(*(branch.chain for branch in branches), strict=True))[1:]:
                call = step[0].value
                more = call.args[1:]
                if operator(step[0]) == "relax.add":
                    added = [array(item.value.args[1], self.values) for item in step]
                    more = [relax.const(np.concatenate(added, axis=axis))]
                result = self.builder_.emit(relax.Call(call.op, [result, *more], call.attrs))
            begin = 0
            for branch in branches:
                end = begin + self.channels(branch)
                share = relax.op.strided_slice(result, [axis + 4], [begin], [end])
                last = branch.chain[-1].var
                inner = isinstance(last, relax.DataflowVar)
                emit = self.builder_.emit if inner else self.builder_.emit_output
                self.set_var_remap(last, emit(share))
                begin = end

    return Combiner
