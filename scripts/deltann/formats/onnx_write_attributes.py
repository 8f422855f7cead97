"""The attributes of `deltann.steps` by kind, written into a node of an ONNX graph."""

from collections.abc import Callable
from functools import partial
from typing import Any

from deltann.edits import Impossible
from deltann.formats import onnx_write_elementwise as elementwise
from deltann.formats import onnx_write_layers as layers
from deltann.formats import onnx_write_moves as moves
from deltann.formats.onnx_write import Site
from deltann.steps import BINARY, REDUCTIONS

_POOL = {"kernel", "strides", "dilations", "pads", "ceil_mode"}
_CONVOLUTION = {"strides", "dilations", "groups", "pads"}
# By kind, the attributes that can be written, and what writes them.
_Write = Callable[[Site, dict[str, Any], set[str]], None]
WRITERS: dict[str, tuple[set[str], _Write]] = {
    "convolution": (_CONVOLUTION, layers.window),
    "transposed_convolution": (_CONVOLUTION | {"output_padding"}, layers.window),
    "max_pool": (_POOL, layers.window),
    "average_pool": (_POOL | {"count_include_pad"}, layers.window),
    "dense": (set(), layers.nothing),
    "matmul": ({"transpose_a", "transpose_b"}, layers.matmul),
    "batch_norm": ({"epsilon", "training"}, layers.batch_norm),
    **{kind: ({"axes", "keepdims"}, partial(layers.reduction, kind)) for kind in REDUCTIONS},
    "clip": ({"min", "max"}, elementwise.clip),
    **{
        kind: ({*names}, partial(elementwise.number, kind))
        for kind, (_, names) in elementwise.NUMBERS.items()
    },
    "gelu": ({"approximate"}, elementwise.gelu),
    "softmax": ({"axis"}, partial(elementwise.softmax, "softmax")),
    "log_softmax": ({"axis"}, partial(elementwise.softmax, "log_softmax")),
    **dict.fromkeys(BINARY, ({"constant_first"}, elementwise.binary)),
    "pad": ({"pads", "value", "mode"}, moves.pad),
    "resize": (
        {"size", "scales", "mode", "coordinates", "rounding", "antialias"},
        moves.resize,
    ),
    "transpose": ({"permutation"}, moves.transpose),
    "reshape": ({"shape"}, moves.reshape),
    "concat": ({"axis"}, moves.concat),
    "slice": ({"axes", "starts", "ends", "steps"}, moves.cut),
    "split": ({"axis", "sizes"}, moves.split),
    "cast": ({"dtype"}, elementwise.cast),
    "quantize": ({"axis"}, elementwise.quantize),
    "dequantize": ({"axis"}, elementwise.quantize),
    "lrn": ({"size", "alpha", "beta", "bias"}, layers.lrn),
}


def write(site: Site, kind: str, attributes: dict[str, Any], changed: set[str]) -> None:
    """Write some attributes into a node.

    Args:
        site: the node.
        kind: what it is, as in `deltann.steps`.
        attributes: all that it is to have.
        changed: the names of those to write.

    Raises:
        Impossible: ONNX, or its version in the file, has none such.
    """
    if kind == "other":  # its attributes are ONNX's own; the checker knows them
        for name in sorted(changed):
            site.set(name, attributes[name])
        site.draft.changed()
        return
    known, writer = WRITERS.get(kind, (set(), layers.nothing))
    if changed - known:
        raise Impossible(
            f"{site.node.name!r} ({kind}) has no attributes {sorted(changed - known)};"
            f" expected {sorted(known)}"
        )
    try:
        writer(site, attributes, changed)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, Impossible):
            raise
        raise Impossible(f"{site.node.name!r} can't have {attributes}: {error!r}") from error
    site.draft.changed()
