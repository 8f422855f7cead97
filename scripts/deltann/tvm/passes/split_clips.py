"""The graph pass that prepares a model for TVM's `ToMixedPrecision`."""

from typing import Any

from deltann.tvm.expressions import operator, rewrite_calls
from deltann.tvm.passes import GraphPass


def split_clips() -> Any:
    """Write clip(x, low, high) as maximum(minimum(x, high), low), which is how it is computed.

    `ToMixedPrecision` of TVM 0.27 fails on operands that aren't tensors, such as clip's bounds:
    "Expected TensorType, but got T.float64". Clips in the branches of an `If` stay, for the reason
    that `pack_layout` states.
    """
    return GraphPass("SplitClips", lambda module: rewrite_calls(module, _split))


def _split(builder: Any, call: Any) -> Any:
    from tvm import relax

    if operator(call) != "relax.clip":
        return call
    data, low, high = call.args
    low, high = (relax.const(float(item.value), str(data.ty.dtype)) for item in (low, high))
    return relax.op.maximum(builder.emit(relax.op.minimum(data, high)), low)
