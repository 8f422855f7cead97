"""Which operators of ONNX that only move or pad numbers, or round them, are tried."""

from collections.abc import Iterator
from typing import Any

from deltann.operators.case import CHANNELS, HEIGHT, NCHW, WIDTH, Case, case

C = CHANNELS
OPSET = 13
# Two nodes: an answer of whole numbers is no answer for most runners.
QDQ = "QuantizeDequantize"


def _node(
    kind: str, op: str, attributes: dict, inputs: list | None, label: Any, opset: int = OPSET,
    shape: tuple[int, ...] = NCHW, **more: Any,
) -> Case:  # fmt: skip
    settings = {"op": op, "opset": opset, "attributes": attributes, "inputs": inputs or []} | more
    return case(kind, op, settings, shape, label)


def _whole(values: object) -> dict:
    return {"value": values, "dtype": "int64"}


def moves() -> Iterator[Case]:
    """All of them."""
    yield from _pads()
    yield from _parts()
    yield from _shapes()
    yield from _quantizers()


def _pads() -> Iterator[Case]:
    for mode, pads in [
        *(("constant", item) for item in ([0, 0, 1, 2, 0, 0, 3, 0], [0, 0, -1, 0, 0, 0, 0, -2])),
        *(("reflect", item) for item in ([0, 0, 1, 2, 0, 0, 3, 0], [0, 0, 2, 2, 0, 0, 1, 1])),
        *(("edge", item) for item in ([0, 0, 1, 2, 0, 0, 3, 0], [0, 0, 2, 2, 0, 0, 1, 1])),
        ("constant", [0, 1, 0, 0, 0, 2, 0, 0]),
    ]:
        label = {"mode": mode, "pads": pads}
        yield _node("pad", "Pad", {"mode": mode}, [_whole(pads)], label)
    inputs: list[dict | None] = [_whole([0, 0, 1, 2, 0, 0, 3, 0]), {"value": 1.5}]
    yield _node("pad", "Pad", {"mode": "constant"}, inputs, {"value": 1.5})
    inputs = [_whole([1, 2, 3, 0]), {"value": 0.0}, _whole([2, 3])]
    yield _node("pad", "Pad", {"mode": "constant"}, inputs, {"axes": "2_3"}, 18)
    inputs = [_whole([1, 2, 3, 0]), None, _whole([-2, -1])]
    yield _node("pad", "Pad", {"mode": "reflect"}, inputs, {"axes": "-2_-1"}, 18)
    inputs = [_whole([0, 0, 1, 2, 0, 0, 3, 0])]
    yield _node("pad", "Pad", {"mode": "wrap"}, inputs, {"mode": "wrap"}, 19)


def _parts() -> Iterator[Case]:
    for axis, shape in ((1, [1, 2, HEIGHT, WIDTH]), (2, [1, C, 3, WIDTH]), (-1, [1, C, HEIGHT, 2])):
        for first in (False, True):
            label: dict[str, Any] = {"axis": axis, "constant_first": first}
            inputs = [{"shape": shape}]
            yield _node("move", "Concat", {"axis": axis}, inputs, label, image_last=first)
    for starts, ends, axes, steps in [
        ([1], [4], [1], [1]), ([1, 2], [-1, 100], [2, 3], [2, 3]), ([-1], [-100], [3], [-1]),
        ([9], [0], [2], [-2]), ([-5], [-1], [-1], [1]),
    ]:  # fmt: skip
        inputs = [_whole(item) for item in (starts, ends, axes, steps)]
        label = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
        yield _node("move", "Slice", {}, inputs, label)
    for axis, sizes in ((1, [1, 3, 2]), (2, [4, 7]), (-1, [5, 9])):
        label = {"axis": axis, "sizes": sizes}
        inputs = [_whole(sizes)]
        yield _node("move", "Split", {"axis": axis}, inputs, label, outputs=len(sizes), output=1)
    item = {"axis": 3, "num_outputs": 4}
    yield _node("move", "Split", item, None, item, 18, outputs=4, output=3)
    for order in ([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [0, 3, 2, 1]):
        yield _node("move", "Transpose", {"perm": order}, None, {"perm": order})
    for axis, indices in ((1, [5, 0, -2]), (3, [[0, 2], [1, -1]]), (2, 3)):
        label = {"axis": axis, "indices": indices}
        yield _node("move", "Gather", {"axis": axis}, [_whole(indices)], label)
    for repeats in ([1, 2, 1, 3], [1, 1, 2, 1]):
        yield _node("move", "Tile", {}, [_whole(repeats)], {"repeats": repeats})
    for upper in (0, 1):
        yield _node("move", "Trilu", {"upper": upper}, [_whole(1)], {"upper": upper}, 14)


def _shapes() -> Iterator[Case]:
    for axis in (1, 2, 3, -1):
        yield _node("reshape", "Flatten", {"axis": axis}, None, {"axis": axis})
    for shape in (
        [1, -1],
        [0, -1, WIDTH],
        [1, 3, 2, HEIGHT * WIDTH],
        [0, 0, -1],
        [1, WIDTH, HEIGHT, C],
    ):
        yield _node("reshape", "Reshape", {}, [_whole(shape)], {"shape": shape})
    wide = (1, 12, HEIGHT, WIDTH)
    for mode in ("DCR", "CRD"):
        item = {"blocksize": 2, "mode": mode}
        yield _node("reshape", "DepthToSpace", item, None, item, shape=wide)
    yield _node("reshape", "SpaceToDepth", {"blocksize": 2}, None, "2", shape=(1, C, 10, WIDTH))
    flat = (1, C, 1, WIDTH)
    yield _node("reshape", "Squeeze", {}, [_whole([2])], {"axes": 2}, shape=flat)
    yield _node("reshape", "Unsqueeze", {}, [_whole([2])], {"axes": 2}, shape=(1, C, WIDTH))
    yield _node("reshape", "Expand", {}, [_whole([1, C, 5, WIDTH])], "height", shape=flat)


def _quantizers() -> Iterator[Case]:
    """An image that is quantized and dequantized."""
    for dtype, zero in (("uint8", 128), ("int8", 3)):
        for axis in (None, 1):
            count = () if axis is None else C
            # no number of the input lies halfway between two steps
            scale = 1 / 16 if axis is None else [(1 + number) / 32 for number in range(C)]
            inputs = [
                {"value": scale, "dtype": "float32"},
                {"value": zero if count == () else [zero] * C, "dtype": dtype},
            ]
            item = {} if axis is None else {"axis": axis}
            label = dtype if axis is None else f"{dtype}-per_axis"
            yield _node("quantize", QDQ, item, inputs, label)
