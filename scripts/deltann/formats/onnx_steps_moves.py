"""What ONNX's operators that move or resample numbers do, in the words of `deltann.steps`."""

from collections.abc import Callable

from deltann.formats.onnx_call import Call, Meaning, axis_name, short

# By default; it is written down only if it is another.
CUBIC_COEFFICIENT = -0.75


def pad(call: Call) -> Meaning:
    """Pad of the height and width of a tensor of four dimensions."""
    shape = call.shape()
    call.need(len(shape) == 4)
    given = call.either("paddings" if call.opset < 2 else "pads", 1) or []
    axes = call.numbers(3)
    pads = [0] * 8
    for at, axis in enumerate(range(4) if axes is None else axes):
        pads[axis % 4] = given[at]
        pads[axis % 4 + 4] = given[at + len(given) // 2]
    call.need(pads[:2] == pads[4:6] == [0, 0])
    value = call.get("value", 0.0)
    if call.opset >= 11:
        constant = call.constant(2)
        value = 0.0 if constant is None else short(float(constant.reshape(())))
    mode = call.get("mode", "constant")
    attributes = {"pads": [*pads[2:4], *pads[6:8]], "value": value, "mode": mode}
    return Meaning("pad", attributes, {})


def resize(call: Call) -> Meaning:
    """Resize and Upsample of height and width, with the defaults of their versions."""
    before, after = call.shape(), call.output_shape()
    call.need(len(before) == 4 and before[:2] == after[:2])
    mode = {"bilinear": "linear"}.get(call.get("mode", "nearest"), call.get("mode", "nearest"))
    attributes = {"size": [*after[2:]], "mode": mode, "antialias": bool(call.get("antialias", 0))}
    old = call.op_type == "Upsample" or call.opset < 11
    how = "asymmetric" if old else call.get("coordinate_transformation_mode", "half_pixel")
    call.need(how != "tf_crop_and_resize")
    attributes["coordinates"] = how
    if mode == "nearest":
        default = "floor" if old else "round_prefer_floor"
        # ONNX Runtime's way in opset 10, of which the standard says nothing
        smaller = old and any(one > other for one, other in zip(before, after, strict=True))
        attributes["rounding"] = "ceil" if smaller else call.get("nearest_mode", default)
    if mode == "cubic":
        coefficient = call.get("cubic_coeff_a", CUBIC_COEFFICIENT)
        if coefficient != CUBIC_COEFFICIENT:
            attributes["cubic_coefficient"] = coefficient
        if call.get("exclude_outside", 0):
            attributes["exclude_outside"] = True
    scales = _scales(call)
    exact = [other / one for one, other in zip(before[2:], after[2:], strict=True)]
    if scales and any(abs(a - b) > 1e-6 * b for a, b in zip(scales, exact, strict=True)):
        # the sides were rounded, and coordinates follow the scale that is written
        attributes["scales"] = scales
    return Meaning("resize", attributes, {})


def _scales(call: Call) -> list[float]:
    """The scales of height and width, if they are written."""
    if call.op_type == "Upsample" and call.opset < 9:
        names = ("height_scale", "width_scale")
        written = call.get("scales", [1, 1, *(call.get(name, 1.0) for name in names)])
        return [float(value) for value in written[-2:]]
    position = 1 if call.op_type == "Upsample" or call.opset < 11 else 2
    constant = call.constant(position)
    return [] if constant is None else [short(value) for value in constant.ravel()[-2:]]


def transpose(call: Call) -> Meaning:
    """Transpose: by default the axes are reversed."""
    default = [*range(len(call.shape()))][::-1]
    return Meaning("transpose", {"permutation": list(call.get("perm", default))}, {})


def reshape(call: Call) -> Meaning:
    """What changes only the shape."""
    return Meaning("reshape", {"shape": [*call.output_shape()]}, {})


def concat(call: Call) -> Meaning:
    """Concat; constants among its inputs are parameters by their position."""
    rank = len(call.output_shape())
    parameters = {
        f"input_{at}": call.parameter(at)
        for at in range(len(call.node.input))
        if not call.depends(at)
    }
    return Meaning("concat", {"axis": axis_name(call.get("axis", 1), rank)}, parameters)


def cut(call: Call) -> Meaning:
    """Slice, with its ends inside the tensor."""
    shape = call.shape()
    starts, ends = call.either("starts", 1) or [], call.either("ends", 2) or []
    axes = call.either("axes", 3)
    axes = [*range(len(starts))] if axes is None else [axis % len(shape) for axis in axes]
    steps = call.numbers(4) if call.opset >= 10 else None
    steps = [1] * len(starts) if steps is None else steps
    sides = [slice(*side) for side in zip(starts, ends, steps, strict=True)]
    inside = [side.indices(shape[axis]) for side, axis in zip(sides, axes, strict=True)]
    attributes = {
        "axes": [axis_name(axis, len(shape)) for axis in axes],
        "starts": [start for start, _, _ in inside],
        "ends": [end for _, end, _ in inside],
        "steps": steps,
    }
    return Meaning("slice", attributes, {})


def split(call: Call) -> Meaning:
    """Split: the sizes of its parts."""
    axis, rank = call.get("axis", 0), len(call.shape())
    call.need(all(call.node.output))
    sizes = [call.output_shape(at)[axis] for at in range(len(call.node.output))]
    return Meaning("split", {"axis": axis_name(axis, rank), "sizes": sizes}, {})


MOVES: dict[str, Callable[[Call], Meaning]] = {
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "Transpose": transpose,
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), reshape),
    "Concat": concat,
    "Slice": cut,
    "Split": split,
}
