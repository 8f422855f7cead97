"""The graph pass for activations that TVM's `FastMathTransform` doesn't know."""

import math
from typing import Any

from deltann.tvm.expressions import operator, rewrite_calls
from deltann.tvm.passes import GraphPass


def fast_activations() -> Any:
    """GELU, SiLU and the sigmoid with TVM's approximations of erf, tanh and exp.

    `FastMathTransform` of TVM 0.27 knows those functions, but no operator made of them. Activations
    in the branches of an `If` stay, for the reason that `pack_layout` states.
    """
    return GraphPass("FastActivations", lambda module: rewrite_calls(module, _fast))


def _gelu(data: Any) -> Any:
    from tvm import topi

    return data * (0.5 + 0.5 * topi.fast_erf(data * math.sqrt(0.5)))


def _gelu_tanh(data: Any) -> Any:
    from tvm import topi

    inner = math.sqrt(2 / math.pi) * data * (1.0 + 0.044715 * data * data)
    return data * (0.5 + 0.5 * topi.fast_tanh(inner))


def _sigmoid(data: Any) -> Any:
    from tvm import topi

    return 1.0 / (1.0 + topi.fast_exp(data * -1.0))


def _silu(data: Any) -> Any:
    return data * _sigmoid(data)


_FAST = {
    "relax.nn.gelu": _gelu,
    "relax.nn.gelu_tanh": _gelu_tanh,
    "relax.nn.silu": _silu,
    "relax.sigmoid": _sigmoid,
}


def _fast(builder: Any, call: Any) -> Any:
    name = operator(call)
    if name not in _FAST or str(call.ty.dtype) != "float32":
        return call
    hint = f"fast_{name.split('.')[-1]}"
    return builder.call_te(_FAST[name], call.args[0], primfunc_name_hint=hint)
