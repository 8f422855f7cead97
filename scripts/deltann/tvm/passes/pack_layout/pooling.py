"""Pooling and means over height and width of packed tensors."""

from typing import Any

from deltann.tvm.passes.pack_layout.packing import Packing


def pool(packing: Packing, call: Any) -> Any:
    """A maximum or average pool."""
    from tvm import topi

    attributes = call.attrs
    if call.args[0] not in packing.tensors or not packing.known_layout(call, attributes.layout):
        return None
    data, *rest = packing.tensors[call.args[0]]
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
    known = call.args[0] in packing.tensors and packing.known_layout(call, call.attrs.layout)
    if not known or not size or [*map(int, size)] != [1, 1]:
        return None
    return _mean(packing, call), *packing.tensors[call.args[0]][1:]


def mean(packing: Packing, call: Any) -> Any:
    """A mean over height and width that keeps their axes."""
    if not is_spatial(packing, call) or not call.attrs.keepdims:
        return None
    return _mean(packing, call), *packing.tensors[call.args[0]][1:]


def flat_mean(packing: Packing, call: Any) -> Any:
    """A mean over height and width as a plain (n, c)."""
    from tvm import relax

    item = packing.tensors[call.args[0]]
    means = item._replace(variable=packing.emit(_mean(packing, call)))
    return relax.op.squeeze(packing.emit(packing.unpack(means)), axis=spatial_axes(packing, call))


def is_spatial(packing: Packing, call: Any) -> bool:
    """Whether a mean is over height and width of a packed tensor."""
    axes = sorted(int(axis) % 4 for axis in call.attrs.axis or [])
    return call.args[0] in packing.tensors and axes == spatial_axes(packing, call)


def spatial_axes(packing: Packing, call: Any) -> list[int]:
    """The axes of height and width in an operator's plain input."""
    return [axis for axis in (1, 2, 3) if axis != packing.tensors[call.args[0]].axis]


def _mean(packing: Packing, call: Any) -> Any:
    from tvm import relax

    data = packing.tensors[call.args[0]].variable
    return relax.op.mean(data, axis=[2, 3], keepdims=True)
