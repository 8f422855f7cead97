"""Operators that pad packed tensors."""

from typing import Any

import numpy as np

from deltann.tvm.passes.pack_layout.packing import Packing
from deltann.tvm.passes.pack_layout.pooling import spatial_axes


def pad(packing: Packing, call: Any) -> Any:
    """A constant around height and width."""
    from tvm import relax

    item = packing.find(call.args[0])
    if item is None or call.attrs.pad_mode != "constant":
        return None
    pairs = np.reshape([int(side) for side in call.attrs.pad_width], (4, 2))
    data, *rest = item
    if pairs[[0, item.axis]].any():
        return None
    width = [0, 0, 0, 0, *pairs[spatial_axes(item)].ravel().tolist(), 0, 0]
    return relax.op.nn.pad(data, width, pad_value=call.attrs.pad_value), *rest
