"""The graph pass that makes one convolution of several that read the same tensor."""

from collections import defaultdict
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import emit_in_place_of, operator
from deltann.tvm.passes import GraphPass

CONV2D, ADD = "relax.nn.conv2d", "relax.add"
# Elementwise operators behind the convolutions that can be combined too.
TAILS = (ADD, "relax.nn.relu", "relax.clip")


class Branch(NamedTuple):
    """A convolution with a constant weight, and the elementwise operators behind it.

    Attributes:
        chain: `relax.VarBinding`s, the convolution first.
        weight: its `numpy.ndarray`.
    """

    chain: list
    weight: np.ndarray

    @property
    def convolution(self) -> Any:
        """The call of the convolution."""
        return self.chain[0].value

    @property
    def channels(self) -> int:
        """How many channels the convolution writes."""
        return self.weight.shape[self.convolution.attrs.kernel_layout.index("O")]


def combine_parallel_conv2d() -> Any:
    """One convolution in place of several that read the same tensor with windows of one shape.

    Their weights are joined, and so are the constants that each adds to its channels. The result
    is cut into each one's channels. Relay had such a pass, CombineParallelConv2D; Relax has none.
    """
    from tvm import relax

    def apply(module: Any) -> Any:
        combiner = _combiner()(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                combiner.plan(function)
                combiner.builder_.update_func(variable, combiner.visit_expr(function))
        return combiner.builder_.finalize()

    return GraphPass("CombineParallelConv2D", apply)


def _combiner() -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    from tvm import relax
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class Combiner(PyExprMutator):
        def plan(self, function: Any) -> None:
            """Find the groups of a function: by their first convolution, and what they replace."""
            self.values = dict(relax.analysis.get_var2val(function))
            self.firsts: dict = {}
            self.replaced: set = set()
            for branches in _groups(function, self.values):
                self.firsts[branches[0].chain[0].var] = branches
                self.replaced |= {item.var for branch in branches for item in branch.chain}

        def visit_var_binding_(self, binding: Any) -> None:
            if binding.var in self.firsts:
                self.emit_together(self.firsts[binding.var])
            elif binding.var not in self.replaced:
                super().visit_var_binding_(binding)

        def emit_together(self, branches: list[Branch]) -> None:
            """Emit the joined operators, and each branch's share of the result."""
            convolution = branches[0].convolution
            data = self.visit_expr(convolution.args[0])
            result = self.builder_.emit(_joined_convolution(branches, data))
            for step in list(zip(*(branch.chain for branch in branches), strict=True))[1:]:
                result = self.builder_.emit(_joined(step, convolution, result, self.values))
            begin, axis = 0, _channel_axis(convolution) + 4
            for branch in branches:
                end = begin + branch.channels
                share = relax.op.strided_slice(result, [axis], [begin], [end])
                emit_in_place_of(self, branch.chain[-1].var, share)
                begin = end

    return Combiner


def _groups(function: Any, values: dict) -> list[list[Branch]]:
    """The branches of a `relax.Function` to combine, cut to what they have in common."""
    from tvm import relax

    readers = defaultdict(list)
    # with the number of its block, whose variables the next block may not be able to read
    bindings = [(n, b) for n, block in enumerate(function.body.blocks) for b in block.bindings]
    for _, binding in bindings:
        for variable in relax.analysis.free_vars(binding.value):
            readers[variable].append(binding)
    groups = defaultdict(list)
    for number, binding in bindings:
        # sums of int32 are scaled and quantized each by their own scale, before they are written
        if operator(binding.value) == CONV2D and str(binding.var.ty.dtype) != "int32":
            weight = _array(binding.value.args[1], values)
            if weight is not None and int(binding.value.attrs.groups) == 1:
                branch = Branch(_chain(binding, readers), weight)
                groups[number, *_key(binding.value, weight)].append(branch)
    parallel = [branches for branches in groups.values() if len(branches) > 1]
    return [_cut(branches, values) for branches in parallel]


def _array(expression: Any, values: dict) -> Any:
    """The value of an argument that is a constant; None for any other."""
    return constant(values.get(expression, expression))


def _channel_axis(convolution: Any) -> int:
    """The axis of channels of a convolution's result, from the end, where shapes are aligned."""
    attributes = convolution.attrs
    return (attributes.out_layout or attributes.data_layout).index("C") - 4


def _chain(convolution: Any, readers: dict) -> list:
    """A convolution's binding and its tail: each read by the next alone, in one dataflow block."""
    from tvm import relax

    chain = [convolution]
    while isinstance(chain[-1].var, relax.DataflowVar):
        readings = readers[chain[-1].var]
        if len(readings) != 1 or operator(readings[0].value) not in TAILS:
            break
        if readings[0].value.args[0] != chain[-1].var:
            break
        chain.append(readings[0])
    return chain


def _key(convolution: Any, weight: Any) -> tuple:
    """What convolutions must have in common: input, attributes, window, type of the weight."""
    layout = convolution.attrs.kernel_layout
    window = [weight.shape[layout.index(letter)] for letter in "HW"]
    return convolution.args[0], str(convolution.attrs), *window, str(weight.dtype)


def _cut(branches: list[Branch], values: dict) -> list[Branch]:
    """The branches, their chains cut to the operators that all have in common."""
    steps = zip(*(branch.chain for branch in branches), strict=False)
    axis = _channel_axis(branches[0].convolution)
    channels = [branch.channels for branch in branches]
    alike = takewhile(lambda step: _alike(step, axis, channels, values), steps)
    common = sum(1 for _ in alike)
    return [branch._replace(chain=branch.chain[:common]) for branch in branches]


def _alike(step: tuple, axis: int, channels: list[int], values: dict) -> bool:
    """Whether operators, one per branch, can be one operator on the joined channels."""
    import tvm_ffi

    first, *others = (item.value for item in step)
    name = operator(first)
    if any(operator(other) != name for other in others):
        return False
    if name == CONV2D:
        return True
    if name == ADD:
        added = [_array(item.value.args[1], values) for item in step]
        return all(
            one is not None and one.ndim >= -axis and one.shape[axis] == one.size == count
            for one, count in zip(added, channels, strict=True)
        )
    return all(
        tvm_ffi.structural_equal(one, like)
        for other in others
        for one, like in zip(other.args[1:], first.args[1:], strict=True)
    )


def _joined_convolution(branches: list[Branch], data: Any) -> Any:
    """The call of one convolution with the weights of all branches."""
    import numpy as np
    from tvm import relax

    first = branches[0].convolution
    outputs = first.attrs.kernel_layout.index("O")
    weight = np.concatenate([branch.weight for branch in branches], axis=outputs)
    return relax.Call(first.op, [data, relax.const(weight)], first.attrs)


def _joined(step: tuple, convolution: Any, data: Any, values: dict) -> Any:
    """The call of one elementwise operator in place of one per branch."""
    import numpy as np
    from tvm import relax

    call = step[0].value
    more = call.args[1:]
    if operator(call) == ADD:
        added = [_array(item.value.args[1], values) for item in step]
        more = [relax.const(np.concatenate(added, axis=_channel_axis(convolution)))]
    return relax.Call(call.op, [data, *more], call.attrs)
