"""Operators that join, cut or shuffle channels, or move their axis.

Where whole blocks move, they do as one; otherwise the result is a `Moved`, and costs nothing until
a reader needs it packed.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from deltann.tvm.expressions import known_sides, operator
from deltann.tvm.passes.pack_layout.packing import Moved, Packed, Packing


def concat(packing: Packing, call: Any) -> Any:
    """Tensors joined along their channels."""
    from tvm import relax

    fields = packing.value(call.args[0])
    parts = fields.fields if isinstance(fields, relax.Tuple) else []
    forms = [packing.forms.get(part) for part in parts]
    axis = int(call.attrs.axis) % 4
    known = [form for form in forms if form and form.axis == axis]
    if not known or len(known) < len(forms):
        return None
    packed = [form for form in known if isinstance(form, Packed)]
    whole = all(form.channels % packing.lanes == 0 for form in packed[:-1])
    if len(packed) == len(known) and whole:
        joined = relax.op.concat([item.variable for item in packed], axis=1)
        return joined, sum(item.channels for item in packed), axis
    return _joined([_moved(form) for form in known], axis)


def channel_slice(packing: Packing, call: Any) -> Any:
    """A range of channels."""
    from tvm import relax

    form = packing.forms.get(call.args[0])
    if form is None:
        return None
    axes, *ends = ([int(item.value) for item in part.fields] for part in call.args[1:])
    if axes != [form.axis]:
        return None
    channels = range(_channels(form))[slice(*(end[0] for end in ends))]
    if not channels:
        return None
    if isinstance(form, Moved) or not _is_whole(channels, form.channels, packing.lanes):
        return _chosen(form, channels)
    first, stop = channels.start // packing.lanes, packing.blocks(channels.stop)
    cut = relax.op.strided_slice(form.variable, [1], [first], [stop])
    return cut, len(channels), form.axis


def _is_whole(channels: range, count: int, lanes: int) -> bool:
    """Whether a range of channels is one of whole blocks."""
    ends = channels.stop == count or channels.stop % lanes == 0
    return channels.step == 1 and channels.start % lanes == 0 and ends


def split_part(packing: Packing, item: Any) -> Any:
    """One result of a split along channels."""
    call = packing.original(item.tuple_value)
    form = packing.forms.get(call.args[0]) if operator(call) == "relax.split" else None
    if form is None or int(call.attrs.axis) % 4 != form.axis:
        return None
    results = item.tuple_value.ty.fields
    ends = np.cumsum([0, *(int([*result.shape][form.axis]) for result in results)])
    return _chosen(form, range(ends[item.index], ends[item.index + 1]))


def reshape(packing: Packing, call: Any) -> Any:
    """Channels shuffled: split into groups, whose axes are exchanged, and joined again."""
    exchange = packing.original(call.args[0])
    if operator(exchange) != "relax.permute_dims":
        return None
    apart = packing.original(exchange.args[0])
    if operator(apart) != "relax.reshape":
        return None
    form = packing.forms.get(apart.args[0])
    sides, middle, end = (known_sides(item) for item in (apart.args[0], exchange.args[0], call))
    if form is None or sides is None or middle is None or end != sides:
        return None
    before, after = form.axis, len(middle) - (len(sides) - form.axis - 1)
    if after <= before:
        return None
    order = [int(axis) % len(middle) for axis in exchange.attrs.axes or []]
    groups = order[before:after]
    if [*order[:before], *sorted(groups), *order[after:]] != [*range(len(middle))]:
        return None
    if [*middle[:before], *middle[after:]] != [*sides[:before], *sides[form.axis + 1 :]]:
        return None
    channels = np.arange(sides[form.axis]).reshape(middle[before:after])
    return _chosen(form, channels.transpose([axis - before for axis in groups]).ravel())


def permute_dims(packing: Packing, call: Any) -> Any:
    """NCHW to NHWC or back: the packed tensors stay as they are."""
    form, order = packing.forms.get(call.args[0]), call.attrs.axes
    if form is None or order is None:
        return None
    moved = {1: [0, 2, 3, 1], 3: [0, 3, 1, 2]}[form.axis]
    if [*map(int, order)] != moved:
        return None
    turned = form._replace(axis=4 - form.axis)
    return turned if isinstance(turned, Moved) else tuple(turned)


def _channels(form: Packed | Moved) -> int:
    return form.channels if isinstance(form, Packed) else len(form.sources)


def _moved(form: Packed | Moved) -> Moved:
    """A packed tensor as one of which no channel has moved yet."""
    if isinstance(form, Moved):
        return form
    channels = np.arange(form.channels)
    return Moved((form.variable,), np.stack([np.zeros_like(channels), channels], 1), form.axis)


def _chosen(form: Packed | Moved, channels: Iterable[int]) -> Moved:
    """Some channels, in an order; parts that give none are left out."""
    moved = _moved(form)
    sources = moved.sources[np.asarray(channels)]
    kept, numbers = np.unique(sources[:, 0], return_inverse=True)
    parts = tuple(moved.parts[number] for number in kept)
    return Moved(parts, np.stack([numbers, sources[:, 1]], 1), moved.axis)


def _joined(forms: list[Moved], axis: int) -> Moved:
    """Tensors one after the other; each packed one is a part once."""
    parts: dict = {}
    sources = []
    for form in forms:
        numbers = [parts.setdefault(part, len(parts)) for part in form.parts]
        sources.append(np.stack([np.take(numbers, form.sources[:, 0]), form.sources[:, 1]], 1))
    return Moved(tuple(parts), np.concatenate(sources), axis)
