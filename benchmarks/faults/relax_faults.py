"""Wrong graph passes: each changes one operator of a Relax function, and keeps its type.

Run in the environment `tvm`. An operator is given the call as it should be, with its operands
already visited, and returns what a wrong pass makes of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deltann.tvm.compat import constant
from deltann.tvm.expressions import emit_in_place_of, mutate_functions, operator, sides

Rewrite = Callable[[Any], Any]


class Change(NamedTuple):
    """What a pass does to one operator.

    Attributes:
        operator: its name without `relax.`, as `nn.relu`.
        rewrite: the call as it becomes.
        fits: which calls of this operator it can change.
    """

    operator: str
    rewrite: Rewrite
    fits: Callable[[Any], bool] = lambda call: True


def _op() -> Any:
    from tvm import relax

    return relax.op


def _const(value: Any) -> Any:
    from tvm import relax

    return relax.const(value, "float32")


def _again(call: Any, **changed: Any) -> Any:
    """A convolution or pool with other attributes."""
    name = call.op.name.removeprefix("relax.nn.")
    taken = {
        "conv2d": ("strides", "padding", "dilation", "groups"),
        "avg_pool2d": ("pool_size", "strides", "padding", "dilation", "count_include_pad"),
        "max_pool2d": ("pool_size", "strides", "padding", "dilation"),
    }[name]
    kept = {key: getattr(call.attrs, key) for key in taken}
    whole = {
        key: [int(item) for item in value] if hasattr(value, "__len__") else value
        for key, value in (kept | changed).items()
    }
    return getattr(_op().nn, name)(*call.args, **whole)


def _weight(call: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A convolution with another weight."""
    weight = constant(call.args[1])
    kept = {key: getattr(call.attrs, key) for key in ("strides", "padding", "dilation")}
    numbers = {key: [int(item) for item in value] for key, value in kept.items()}
    changed = _const(change(weight).astype(np.float32))
    return _op().nn.conv2d(call.args[0], changed, groups=call.attrs.groups, **numbers)


def _largest_negated(weight: np.ndarray) -> np.ndarray:
    changed = weight.copy()
    changed.flat[np.abs(weight).argmax()] *= -1
    return changed


def _bounds(call: Any) -> tuple[float, float]:
    return tuple(float(item.value) for item in call.args[1:])  # type: ignore[return-value]


def _square(call: Any) -> bool:
    """A transpose after which the sides are the same."""
    return sides(call.args[0]) == sides(call) and len(sides(call)) > 1


def _padded(call: Any) -> bool:
    return bool(sum(int(side) for side in call.attrs.padding))


def _shifted(call: Any) -> Any:
    """A window that starts earlier by all of the padding of the sides that come last."""
    top, left, bottom, right = (int(side) for side in call.attrs.padding)
    return _again(call, padding=[0, 0, top + bottom, left + right])


def _like(call: Any) -> bool:
    """Whether the first operand has the result's type, so that it can take its place."""
    return sides(call.args[0]) == sides(call)


def _alike(call: Any) -> bool:
    return _like(call) and sides(call.args[1]) == sides(call)


def _is_constant(call: Any) -> bool:
    return constant(call.args[1]) is not None


def _slope_as_maximum(call: Any) -> Any:
    scaled = _op().multiply(call.args[0], _const(float(call.attrs.alpha)))
    return _op().maximum(call.args[0], scaled)


def _mean_as_sum(call: Any) -> Any:
    axes = [int(axis) for axis in call.attrs.axis]
    share = np.prod(sides(call)) / np.prod(sides(call.args[0]))
    return _op().multiply(_op().sum(call.args[0], axes, keepdims=True), _const(float(share)))


# Settings of wrong graph passes by name: MutateNN's, and some of conversions' faults.
CHANGES = {
    "multiply_to_add": Change("multiply", lambda call: _op().add(*call.args)),
    "add_to_subtract": Change("add", lambda call: _op().subtract(*call.args)),
    "divide_to_multiply": Change("divide", lambda call: _op().multiply(*call.args)),
    "operand_dropped": Change("add", lambda call: call.args[0], _like),
    "operand_twice": Change("add", lambda call: _op().add(call.args[0], call.args[0]), _alike),
    "clip_bound": Change(
        "clip",
        lambda call: _op().clip(call.args[0], _bounds(call)[0], 0.5 * _bounds(call)[1]),
        lambda call: np.isfinite(_bounds(call)[1]),
    ),
    "clip_dropped": Change("clip", lambda call: call.args[0]),
    "comparison": Change("nn.relu", lambda call: _op().minimum(call.args[0], _const(0.0))),
    "slope": Change(
        "nn.leakyrelu", lambda call: _op().nn.leakyrelu(call.args[0], 0.5 * call.attrs.alpha)
    ),
    "axes_swapped": Change("permute_dims", lambda call: call.args[0], _square),
    "softmax_axis": Change(
        "nn.softmax", lambda call: _op().nn.softmax(call.args[0], axis=len(sides(call)) - 2)
    ),
    "mean_to_max": Change(
        "mean",
        lambda call: _op().max(
            call.args[0], [int(axis) for axis in call.attrs.axis], call.attrs.keepdims
        ),
    ),
    "gelu": Change("nn.gelu", lambda call: _op().nn.gelu_tanh(call.args[0])),
    "float16": Change(
        "nn.conv2d",
        lambda call: _weight(call, lambda weight: weight.astype(np.float16)),
        _is_constant,
    ),
    "constant": Change("nn.conv2d", lambda call: _weight(call, _largest_negated), _is_constant),
    "padding": Change("nn.conv2d", _shifted, _padded),
    "pool": Change(
        "nn.avg_pool2d",
        lambda call: _op().nn.max_pool2d(
            call.args[0],
            [int(s) for s in call.attrs.pool_size],
            [int(s) for s in call.attrs.strides],
            [int(s) for s in call.attrs.padding],
        ),
    ),
}
# Pairs: what the first pass writes is right, but the second one takes it for something else.
NEGATIVE = Change("negative", lambda call: call.args[0])
SMALLER = Change("maximum", lambda call: _op().minimum(*call.args))
PAIRS = {
    "relu_as_maximum": (
        Change("nn.relu", lambda call: _op().maximum(call.args[0], _const(0.0))),
        SMALLER,
    ),
    "slope_as_maximum": (Change("nn.leakyrelu", _slope_as_maximum), SMALLER),
    "clip_as_maximum": (
        Change(
            "clip",
            lambda call: _op().maximum(
                _op().minimum(call.args[0], _const(_bounds(call)[1])), _const(_bounds(call)[0])
            ),
            lambda call: bool(np.isfinite(_bounds(call)).all()),
        ),
        SMALLER,
    ),
    "add_as_negative": (
        Change(
            "add",
            lambda call: _op().subtract(call.args[0], _op().negative(call.args[1])),
            _alike,
        ),
        NEGATIVE,
    ),
    "multiply_as_negative": (
        Change(
            "multiply", lambda call: _op().multiply(*(_op().negative(item) for item in call.args))
        ),
        NEGATIVE,
    ),
    "mean_as_sum": (
        Change("mean", _mean_as_sum, lambda call: call.attrs.keepdims),
        Change(
            "sum",
            lambda call: _op().max(
                call.args[0], [int(axis) for axis in call.attrs.axis], call.attrs.keepdims
            ),
        ),
    ),
}


def wrong_pass(change: Change, place: float) -> Callable[[Any], Any]:
    """The function of a graph pass that changes one operator of `main`, if it fits any.

    Args:
        change: what it does.
        place: which of the operators that fit and depend on the image, as a share of them.
    """

    def rewrite(module: Any) -> Any:
        mutator = _mutator()(module)
        if not mutator.plan(module["main"], change, place):
            return module
        return mutate_functions(module, mutator)

    return rewrite


def _mutator() -> Any:
    """The class of the mutator; made in a function because TVM must be imported first."""
    from tvm.relax.expr_functor import PyExprMutator, mutator

    @mutator
    class OneChange(PyExprMutator):
        def plan(self, function: Any, change: Change, place: float) -> bool:
            """Choose the operator; whether there is one."""
            self.change = change
            found = fitting(function, change)
            self.chosen = found[int(place * len(found))] if found else None
            return bool(found)

        def visit_var_binding_(self, binding: Any) -> None:
            if binding.var != self.chosen:
                super().visit_var_binding_(binding)
                return
            call = self.visit_expr(binding.value)
            call = self.builder_.normalize(call)
            emit_in_place_of(self, binding.var, self.change.rewrite(call))

    return OneChange


def fitting(function: Any, change: Change) -> list[Any]:
    """The variables of the operators that a change fits and that depend on the function's input."""
    from tvm import relax

    dependent, found = set(function.params), []
    for block in function.body.blocks:
        for binding in block.bindings:
            if not dependent & set(relax.analysis.free_vars(binding.value)):
                continue
            dependent.add(binding.var)
            named = operator(binding.value) == f"relax.{change.operator}"
            if named and change.fits(binding.value):
                found.append(binding.var)
    return found
