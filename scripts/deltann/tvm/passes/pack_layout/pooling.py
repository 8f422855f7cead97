"""Pooling and means over height and width of packed tensors."""

from typing import Any

from deltann.tvm.passes.pack_layout.packing import Packed, Packing


def pool(packing: Packing, call: Any) -> Any:
    """A maximum or average pool."""
    from tvm import topi

    attributes = call.attrs
    item = packing.find(call.args[0])
    if item is None or not packing.known_layout(call, attributes.layout):
        return None
    data, *rest = item
    kind = "max" if "max" in call.op.name else "avg"
    more = {}
    if kind == "avg":
        more["count_include_pad"] = attributes.count_include_pad
    result = packing.call_te(
        topi.nn.pool2d,
        data,
        kernel=attributes.pool_size,
        stride=attributes.strides,
        dilation=attributes.dilation,
        padding=attributes.padding,
        pool_type=kind,
        ceil_mode=attributes.ceil_mode,
        layout=f"NCHW{packing.lanes}c",
        primfunc_name_hint=f"{kind}_pool2d",
        **more,
    )
    return result, *rest


def global_pool(packing: Packing, call: Any) -> Any:
    """An adaptive average pool to one pixel."""
    size = call.attrs.output_size
    item = packing.find(call.args[0])
    if item is None or not packing.known_layout(call, call.attrs.layout):
        return None
    return _mean(packing, item) if size and [*map(int, size)] == [1, 1] else None


def mean(packing: Packing, call: Any) -> Any:
    """A mean over height and width that keeps their axes."""
    item = _averaged(packing, call)
    return _mean(packing, item) if item and call.attrs.keepdims else None


def flat_mean(packing: Packing, call: Any) -> Any:
    """A mean over height and width as a plain (n, c); None for any other mean."""
    from tvm import relax

    item = _averaged(packing, call)
    if item is None:
        return None
    means = packing.packed(*_mean(packing, item))
    return relax.op.squeeze(packing.emit(packing.unpack(means)), axis=spatial_axes(item))


def spatial_axes(item: Packed) -> list[int]:
    """The axes of height and width in the plain tensor that a packed one stands for."""
    return [axis for axis in (1, 2, 3) if axis != item.axis]


def _averaged(packing: Packing, call: Any) -> Packed | None:
    """The packed tensor that a mean over height and width takes; None for any other mean."""
    item = packing.find(call.args[0])
    axes = sorted(int(axis) % 4 for axis in call.attrs.axis or [])
    return item if item and axes == spatial_axes(item) else None


def _mean(packing: Packing, item: Packed) -> tuple:
    from tvm import relax

    return relax.op.mean(item.variable, axis=[2, 3], keepdims=True), item.channels, item.axis
