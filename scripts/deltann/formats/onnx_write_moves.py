"""Operators that move or resample numbers, written as ONNX has them."""

from typing import Any

from deltann.edits import Impossible
from deltann.formats.onnx_write import Site


def pad(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Pad of height and width; pads and value are inputs from opset 11 on."""
    if len(site.shape) != 4:
        raise Impossible(f"the tensor has {len(site.shape)} axes; expected 4")
    top, left, bottom, right = attributes["pads"]
    pads, value = [0, 0, top, left, 0, 0, bottom, right], attributes.get("value", 0)
    site.set("mode", attributes.get("mode", "constant"))
    if site.opset >= 11:
        if changed & {"pads"}:
            site.whole(1, pads, "pads")
            site.put(3, "")
        if changed & {"value"} and (value or len(site.node.input) > 2):
            site.give(2, site.real(value), "value")
    else:
        site.set("paddings" if site.opset < 2 else "pads", pads)
        site.set("value", float(value))
    site.draft.changed()


def resize(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Resize; before opset 11 it has scales only, and the coordinates of `asymmetric`."""
    if site.node.op_type == "Upsample" or site.opset < 11:
        if changed - {"size", "scales", "mode"}:
            site.need_opset(11, ", ".join(sorted(changed - {"size", "scales", "mode"})))
        if site.node.op_type == "Upsample" and site.opset < 9:
            raise Impossible(f"Upsample of opset {site.opset} isn't written")
    if "antialias" in changed:
        site.need_opset(18, "antialias")
        site.set("antialias", int(attributes["antialias"]))
    if changed & {"size", "scales"}:
        scales = attributes["scales"] if "scales" in changed else None
        _sizes(site, attributes["size"], scales)
    names = {"coordinates": "coordinate_transformation_mode", "rounding": "nearest_mode"}
    for name in sorted(changed & {*names, "mode"}):
        site.set(names.get(name, name), attributes[name])
    site.draft.changed()


def _sizes(site: Site, size: list[int], scales: list[float] | None) -> None:
    """Have a Resize make a size, or follow scales, which coordinates are then computed with."""
    import numpy as np

    sizes = [*site.shape[:2], *size]
    exact = [one / other for one, other in zip(sizes, site.shape, strict=True)]
    stored = np.array(exact if scales is None else [1, 1, *scales], np.float32)
    for name in ("axes", "keep_aspect_ratio_policy"):
        site.set(name, None)
    if site.node.op_type == "Upsample" or site.opset < 11:
        site.give(1, stored, "scales")
        return
    for position in (1, 2, 3):
        site.put(position, "")
    if site.opset < 13:  # from then on it may be left out
        site.give(1, np.zeros(0, np.float32), "region")
    if scales is not None:
        site.give(2, stored, "scales")
        return
    if site.opset < 13:
        site.give(2, np.zeros(0, np.float32), "scales")
    site.whole(3, sizes, "sizes")


def transpose(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Transpose."""
    site.set("perm", [int(axis) for axis in attributes["permutation"]])
    site.draft.changed()


def reshape(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Reshape, also in the place of Flatten and the like; an open batch stays open."""
    shape = [int(side) for side in attributes["shape"]]
    if shape[:1] == [1] and site.shape[:1] == (1,) and site.draft.open_batch:
        shape[0] = 0  # as the input's
    site.become("Reshape")
    for name in ("allowzero", "axis", "axes"):
        site.set(name, None)
    if site.opset < 5:
        site.set("shape", shape)
    else:
        site.whole(1, shape, "shape")
    site.draft.changed()


def concat(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Concat."""
    site.set("axis", site.axis(attributes["axis"]))
    site.draft.changed()


def cut(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Slice: all inputs from opset 10 on. An end of -1 at a step back means up to the first."""
    axes = [site.axis(axis) for axis in attributes["axes"]]
    starts, ends = attributes["starts"], attributes["ends"]
    steps = attributes.get("steps", [1] * len(axes))
    ends = [
        -(2**31) if step < 0 and end < 0 else end for end, step in zip(ends, steps, strict=True)
    ]
    values = {"starts": starts, "ends": ends, "axes": axes}
    if site.opset >= 10:
        for position, (name, numbers) in enumerate([*values.items(), ("steps", steps)], 1):
            if name in changed or name == "axes":
                site.whole(position, numbers, name)
        return
    if any(step != 1 for step in steps):
        site.need_opset(10, "steps")
    for name, numbers in values.items():
        site.set(name, numbers)
    site.draft.changed()


def split(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Split: the sizes are an input from opset 13 on."""
    site.set("axis", site.axis(attributes["axis"]))
    site.set("num_outputs", None)
    if site.opset >= 13:
        site.whole(1, attributes["sizes"], "sizes")
    else:
        site.set("split", attributes["sizes"])
    site.draft.changed()
