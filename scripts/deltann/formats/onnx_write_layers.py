"""Operators with windows or weights, written as ONNX has them."""

from typing import Any

from deltann.edits import Impossible
from deltann.formats.onnx_write import Site

# ONNX's names of attributes, and by operator the opset that first has them.
NAMES = {"groups": "group", "kernel": "kernel_shape"}
SINCE = {
    ("MaxPool", "ceil_mode"): 10,
    ("MaxPool", "dilations"): 10,
    ("AveragePool", "ceil_mode"): 10,
    ("AveragePool", "count_include_pad"): 7,
    ("AveragePool", "dilations"): 19,
}


def window(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Convolutions and poolings. Pads become explicit, as automatic ones follow the others."""
    automatic = site.has("auto_pad") or site.has("output_shape")
    site.set("auto_pad", None)
    site.set("output_shape", None)
    if automatic:
        changed = changed | {"pads"}
    for name in sorted(changed):
        site.need_opset(SINCE.get((site.node.op_type, name), 1), name)
        value = attributes[name]
        site.set(NAMES.get(name, name), int(value) if isinstance(value, bool) else value)


def nothing(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Operators without attributes."""
    if changed:
        raise Impossible(f"{site.node.op_type} has no attributes {sorted(changed)}")


def matmul(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Gemm and MatMul of two tensors; a Gemm can transpose them, if they have two axes."""
    if site.node.op_type == "MatMul":
        if len(site.shape) != 2:
            raise Impossible("MatMul transposes nothing, and Gemm takes two axes only")
        second = site.node.input[1]
        site.become("Gemm")
        site.put(1, second)
    for side in "ab":
        site.set(f"trans{side.upper()}", int(attributes.get(f"transpose_{side}", False)))


def batch_norm(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """BatchNormalization; below opset 14 it trains if it has further outputs."""
    if "epsilon" in changed:
        site.set("epsilon", float(attributes["epsilon"]))
    if "training" not in changed:
        return
    training = bool(attributes.get("training", False))
    if site.opset >= 14:
        site.set("training_mode", int(training))
        if not training:
            del site.node.output[1:]
        elif len(site.node.output) == 1:
            names = [f"{site.node.output[0]}_running_{item}" for item in ("mean", "variance")]
            site.node.output.extend(site.draft.fresh(name) for name in names)
    elif training:
        site.need_opset(14, "training mode that ONNX Runtime runs")
    else:
        del site.node.output[1:]
        if site.opset < 7:
            site.set("is_test", 1)
    site.draft.changed()


def reduction(kind: str, site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """Reductions, also in the place of a global pooling; axes are an input in newer opsets."""
    first = site.node.input[0]
    site.become(f"Reduce{kind.capitalize()}")
    site.node.input[:] = [first]
    axes = [site.axis(axis) for axis in attributes["axes"]]
    site.set("axes", None)
    site.set("keepdims", int(attributes.get("keepdims", True)))
    if site.opset >= (13 if kind == "sum" else 18):
        site.whole(1, axes, "axes")
    else:
        site.set("axes", axes)


def lrn(site: Site, attributes: dict[str, Any], changed: set[str]) -> None:
    """LRN."""
    for name in sorted(changed):
        site.set(name, int(attributes[name]) if name == "size" else float(attributes[name]))
