"""TFLite's operators that move numbers or change how many there are, in the words of `steps`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deltann.formats.tflite_node import Node, letter

if TYPE_CHECKING:
    import numpy as np

MIRROR_MODES = ("reflect", "symmetric")
# Coordinates and rounding by (align_corners, half_pixel_centers), as of TFLite's
# reference/resize_nearest_neighbor.h.
NEAREST = {
    (False, False): ("asymmetric", "floor"),
    (False, True): ("half_pixel", "round_prefer_ceil"),
    (True, False): ("align_corners", "round_prefer_ceil"),
}
Words = tuple[str, dict[str, Any], dict[str, Any]]


def operand(value: "np.ndarray") -> "np.ndarray":
    """A constant operand: of shape () for one number, (channels,) for one per channel."""
    if value.size == 1:
        return value.reshape(())
    return value.reshape(-1) if value.size == value.shape[-1] else value


def _pad(node: Node) -> Words | None:
    pads = node.whole(1)
    if pads is None:
        return None
    attributes: dict[str, Any] = {"value": 0, "mode": "constant"}
    if node.native == "MIRROR_PAD":
        attributes["mode"] = MIRROR_MODES[node.option("mode")]
    elif node.native == "PADV2":
        value = node.constant(2)
        if value is None:
            return None
        attributes["value"] = float(value.reshape(()))
    if node.rank != 4 or any(pads[:2] + pads[6:]):
        return "other", attributes | {"all_pads": pads}, {}
    top, bottom, left, right = pads[2:6]
    return "pad", {"pads": [top, left, bottom, right], **attributes}, {}


def _resize(node: Node) -> Words:
    corners, half = bool(node.option("alignCorners")), bool(node.option("halfPixelCenters"))
    attributes = {"size": list(node.given[1:3]), "antialias": False}
    if node.native == "RESIZE_BILINEAR":
        coordinates = "align_corners" if corners else "half_pixel" if half else "asymmetric"
        return "resize", attributes | {"mode": "linear", "coordinates": coordinates}, {}
    coordinates, rounding = NEAREST[corners, half and not corners]
    found = {"mode": "nearest", "coordinates": coordinates, "rounding": rounding}
    return "resize", attributes | found, {}


def _transpose(node: Node) -> Words | None:
    order = node.whole(1)
    return None if order is None else ("transpose", {"permutation": order}, {})


def _slice(node: Node) -> Words | None:
    starts, sizes = node.whole(1), node.whole(2)
    if starts is None or sizes is None:
        return None
    ends = [start + side for start, side in zip(starts, node.given, strict=True)]
    return _sliced(node, starts, ends, [1] * len(starts))


def _strided_slice(node: Node) -> Words | None:
    found = [node.whole(place) for place in (1, 2, 3)]
    if None in found or node.option("ellipsisMask") or node.option("newAxisMask"):
        return None
    starts, ends, steps = (list(item or []) for item in found)
    if node.option("offset", False):
        ends = [start + end for start, end in zip(starts, ends, strict=True)]
    shrunk = []
    for axis, side in enumerate(node.shape(0)[: len(starts)]):
        bit = 1 << axis
        if node.option("shrinkAxisMask") & bit:
            starts[axis] %= side
            ends[axis], steps[axis] = starts[axis] + 1, 1
            shrunk.append(axis)
            continue
        start = None if node.option("beginMask") & bit else starts[axis]
        end = None if node.option("endMask") & bit else ends[axis]
        starts[axis], ends[axis], steps[axis] = slice(start, end, steps[axis]).indices(side)
    kind, attributes, parameters = _sliced(node, starts, ends, steps)
    rank = len(node.shape(0))
    if shrunk:  # the axes that the output hasn't any more
        attributes["dropped"] = [letter(axis, rank) for axis in shrunk]
    return kind, attributes, parameters


def _sliced(node: Node, starts: list[int], ends: list[int], steps: list[int]) -> Words:
    """A slice, of the axes alone that it changes."""
    shape = node.shape(0)
    axes = [
        axis
        for axis, whole in enumerate(zip(starts, ends, steps, strict=True))
        if whole != (0, shape[axis], 1)
    ]
    attributes: dict[str, Any] = {"axes": [letter(axis, len(shape)) for axis in axes]}
    for name, values in (("starts", starts), ("ends", ends), ("steps", steps)):
        attributes[name] = [values[axis] for axis in axes]
    return "slice", attributes, {}


def _split(node: Node) -> Words | None:
    (axis,) = node.whole(0 if node.native == "SPLIT" else 2) or (None,)
    if axis is None:
        return None
    sizes = [node.file.shapes[index][axis] for index in node.operator.outputs]
    return "split", {"axis": letter(axis, node.rank), "sizes": sizes}, {}


def _gather(node: Node) -> Words | None:
    """One number along an axis, such as a class token, is a slice."""
    places, axis = node.whole(1), node.option("axis")
    if places is None or len(places) != 1 or node.moving() != [0]:
        return None
    rank = len(node.shape(0))
    found = {"axes": [letter(axis, rank)], "starts": places, "ends": [places[0] + 1]}
    dropped = {} if len(node.given) == rank else {"dropped": found["axes"]}
    return "slice", found | {"steps": [1]} | dropped, {}


READERS: dict[str, Callable[[Node], Words | None]] = {
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    "TRANSPOSE": _transpose,
    **dict.fromkeys(
        ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"),
        lambda node: ("reshape", {"shape": list(node.given)}, {}),
    ),
    "CONCATENATION": lambda node: (
        "concat",
        {"axis": letter(node.option("axis"), node.rank)},
        {},
    ),
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    **dict.fromkeys(("SPLIT", "SPLIT_V"), _split),
    "GATHER": _gather,
}
