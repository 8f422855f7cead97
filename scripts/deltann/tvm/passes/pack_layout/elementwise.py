"""Elementwise operators on packed tensors, of one operand and of two."""

from typing import Any

import numpy as np

from deltann.tvm import compat
from deltann.tvm.passes.pack_layout.packing import Packed, Packing

# What these make of a zero, which fills the lanes after the last channel, is finite.
UNARY = (
    "relax.abs",
    "relax.erf",
    "relax.exp",
    "relax.negative",
    "relax.nn.gelu",
    "relax.nn.gelu_tanh",
    "relax.nn.relu",
    "relax.nn.relu6",
    "relax.nn.leakyrelu",
    "relax.nn.silu",
    "relax.clip",
    "relax.sigmoid",
    "relax.tanh",
    "relax.astype",
)
BINARY = ("relax.add", "relax.subtract", "relax.multiply", "relax.maximum", "relax.minimum")


def unary(packing: Packing, call: Any) -> Any:
    """An operator of one tensor; further arguments are scalars."""
    from tvm import relax

    item = packing.find(call.args[0])
    if item is None:
        return None
    data, *rest = item
    return relax.Call(call.op, [data, *call.args[1:]], call.attrs), *rest


def binary(packing: Packing, call: Any) -> Any:
    """An operator of two packed tensors, or of one and a constant."""
    from tvm import relax

    known = [item for item in map(packing.find, call.args) if item]
    if not known:
        return None
    operands = [_operand(packing, item, known[0]) for item in call.args]
    if any(item is None for item in operands):
        return None
    return relax.Call(call.op, operands, call.attrs), *known[0][1:]


def divide(packing: Packing, call: Any) -> Any:
    """A packed tensor divided by a constant. By another tensor, unused lanes would be 0 / 0."""
    from tvm import relax

    data, divisor = call.args
    item = packing.find(data)
    if item is None or packing.find(divisor):
        return None
    operand = _operand(packing, divisor, item, rest=1)
    if operand is None:
        return None
    return relax.Call(call.op, [item.variable, operand], call.attrs), *item[1:]


def _operand(packing: Packing, argument: Any, like: Packed, rest: float = 0) -> Any:
    """An argument in the form of `like`: packed, or a constant that fits it; otherwise None.

    `rest` fills a constant's lanes after the last channel.
    """
    from tvm import relax

    channels = like.channels
    item = packing.find(argument)
    if item:
        return item.variable if item[1:] == like[1:] else None
    array = _array(packing, argument)
    if array is None:
        return None
    if array.size == 1:
        return relax.const(array.reshape(()))
    axis = like.axis - 4  # from the end, where shapes are aligned
    if array.ndim < -axis or not array.size == channels == array.shape[axis]:
        return None
    blocks = packing.blocks(channels)
    padded = np.full(blocks * packing.lanes, rest, array.dtype)
    padded[:channels] = array.reshape(-1)
    return relax.const(padded.reshape(1, blocks, 1, 1, packing.lanes))


def _array(packing: Packing, expression: Any) -> Any:
    """The value of a constant of float32, float16 or int32; None for any other expression."""
    array = compat.constant(packing.value(expression))
    known = array is not None and array.dtype in (np.float32, np.float16, np.int32)
    return array if known else None
