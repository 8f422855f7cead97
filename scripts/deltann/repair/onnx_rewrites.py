"""Rewrites of an ONNX file before its conversion: the same model, said in other operators.

They are ours, so each is checked on an image, but for `no quantization`, which changes numbers.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.ours import ours
from deltann.repair.onnx_nodes import Graph, attributes

if TYPE_CHECKING:
    import numpy as np

SAME = ("SAME_UPPER", "SAME_LOWER")
LOWEST = -3.4028234663852886e38  # of float32: what max pooling pads with


def rewrite(names: list[str], model_file: Path, output: Path) -> int:
    """Apply some of `REWRITES` to an `.onnx` file and write it, if that changes anything.

    Returns:
        How many nodes were changed; 0 if there was nothing to rewrite.

    Raises:
        Fault: the file answers an image differently.
    """
    import onnx

    model = onnx.load(model_file)
    before = model.SerializeToString()
    changed = 0
    what = f"the rewrite before conversion, {', '.join(names)}"
    for name in names:
        shaped = onnx.shape_inference.infer_shapes(model)  # onnx's own
        with ours(what):
            graph = Graph(shaped)
            changed += REWRITES[name](graph)
            graph.finish(model)
    if changed:
        if UNCHECKED not in names:
            _check(what, before, model.SerializeToString())
        onnx.save(model, output)
    return changed


def _check(what: str, before: bytes, after: bytes) -> None:
    """Compare the answers of two models to one image, see `spot_check.compare_models`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.graph_optimization_level = level

    @cache
    def session(content: bytes) -> Any:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def answer(content: bytes, image: "np.ndarray") -> "np.ndarray":
        (taken,) = session(content).get_inputs()
        return session(content).run(None, {taken.name: image})[0]

    try:
        (declared,) = session(before).get_inputs()
    except Exception as error:  # of any class: it is a matter of the model before
        spot_check.not_checked(what, error)
        return
    shape = tuple(side if isinstance(side, int) else 1 for side in declared.shape)
    kind = declared.type.removeprefix("tensor(").removesuffix(")")
    image = spot_check.image(shape, {"float": "float32", "double": "float64"}.get(kind, kind))
    spot_check.compare_models(what, partial(answer, before), partial(answer, after), image)


def explicit_padding(graph: "Graph") -> int:
    """Padding of convolutions and pools as nodes of its own: what remains is VALID."""
    changed = 0
    for node in graph.of("Conv", "MaxPool", "AveragePool"):
        given = attributes(node)
        if given.get("ceil_mode") or (
            node.op_type == "AveragePool" and not given.get("count_include_pad")
        ):
            continue
        pads = _pads(graph, node, given)
        if pads is None or not any(pads):
            continue
        value = LOWEST if node.op_type == "MaxPool" else 0.0
        padded = graph.pad(node, node.input[0], pads, value)
        node.input[0] = padded
        graph.set(node, pads=None, auto_pad=None)
        changed += 1
    return changed


def _pads(graph: "Graph", node: Any, given: dict) -> list[int] | None:
    """[top, left, bottom, right] of a node with two spatial sides; None if it isn't known."""
    automatic = given.get("auto_pad", b"NOTSET").decode()
    if automatic not in SAME:
        pads = given.get("pads", [0] * 4)
        return list(pads) if len(pads) == 4 else None
    sides = graph.shape(node.input[0])
    kernel = given.get("kernel_shape") or (graph.shape(node.input[1]) or [])[2:]
    if len(sides or []) != 4 or len(kernel) != 2 or not sides or 0 in sides[2:]:
        return None
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    begins, ends = [], []
    for side, size, stride, dilation in zip(sides[2:], kernel, strides, dilations, strict=True):
        reach = dilation * (size - 1) + 1
        total = max((-(-side // stride) - 1) * stride + reach - side, 0)
        small = total // 2
        begins.append(small if automatic == SAME[0] else total - small)
        ends.append(total - begins[-1])
    return begins + ends


def no_ceil_mode(graph: "Graph") -> int:
    """Max pools that round their size up: padded so that rounding down gives the same."""
    changed = 0
    for node in graph.of("MaxPool"):
        given = attributes(node)
        sides, made = graph.shape(node.input[0]), graph.shape(node.output[0])
        if not given.get("ceil_mode") or not sides or not made or len(sides) != 4:
            continue
        kernel, strides = given["kernel_shape"], given.get("strides", [1, 1])
        dilations, pads = given.get("dilations", [1, 1]), list(given.get("pads", [0] * 4))
        for axis in (0, 1):
            reach = dilations[axis] * (kernel[axis] - 1) + 1
            needed = (made[2 + axis] - 1) * strides[axis] + reach
            pads[2 + axis] = max(needed - sides[2 + axis] - pads[axis], 0)
        node.input[0] = graph.pad(node, node.input[0], pads, LOWEST)
        graph.set(node, pads=None, ceil_mode=None)
        changed += 1
    return changed


def plain_activations(graph: "Graph") -> int:
    """Gelu, HardSwish and HardSigmoid by arithmetic."""
    nodes = graph.of("Gelu", "HardSwish", "HardSigmoid")
    for node in nodes:
        given, taken = attributes(node), node.input[0]
        if node.op_type == "Gelu":
            graph.replace(node, _gelu(graph, node, taken, given))
            continue
        hard_swish = node.op_type == "HardSwish"
        alpha = 1 / 6 if hard_swish else given.get("alpha", 0.2)
        scaled = graph.add(node, "Mul", taken, graph.number(alpha, taken))
        moved = graph.add(node, "Add", scaled, graph.number(given.get("beta", 0.5), taken))
        gate = graph.clip(node, moved, 0.0, 1.0, taken)
        graph.replace(node, graph.add(node, "Mul", taken, gate) if hard_swish else gate)
    return len(nodes)


def _gelu(graph: "Graph", node: Any, taken: str, given: dict) -> str:
    if given.get("approximate", b"none") == b"tanh":
        square = graph.add(node, "Mul", taken, taken)
        cube = graph.add(
            node, "Mul", graph.add(node, "Mul", square, taken), graph.number(0.044715, taken)
        )
        inner = graph.add(node, "Mul", graph.add(node, "Add", taken, cube),
                          graph.number(0.7978845608028654, taken))  # fmt: skip
        bent = graph.add(node, "Tanh", inner)
    else:
        inner = graph.add(node, "Mul", taken, graph.number(0.7071067811865476, taken))
        bent = graph.add(node, "Erf", inner)
    gate = graph.add(node, "Add", bent, graph.number(1.0, taken))
    half = graph.add(node, "Mul", taken, graph.number(0.5, taken))
    return graph.add(node, "Mul", half, gate)


def folded_batch_norms(graph: "Graph") -> int:
    """Batch norms in the weights of the convolution before them, or as a product and a sum."""
    import numpy as np

    changed = 0
    for node in graph.of("BatchNormalization"):
        given = attributes(node)
        constants = [graph.constant(name) for name in node.input[1:5]]
        if given.get("training_mode") or any(item is None for item in constants):
            continue
        scale, shift, mean, variance = (np.asarray(item, np.float64) for item in constants)
        factor = scale / np.sqrt(variance + given.get("epsilon", 1e-5))
        offset = shift - mean * factor
        before = graph.only_reader(node.input[0], "Conv")
        weight = graph.constant(before.input[1]) if before is not None else None
        if before is not None and weight is not None:
            bias = graph.constant(before.input[2]) if len(before.input) > 2 else 0.0
            if bias is None:
                continue
            sides = (-1, *[1] * (weight.ndim - 1))
            before.input[1] = graph.store(weight * factor.reshape(sides), node.input[0])
            del before.input[2:]
            before.input.append(graph.store(np.asarray(bias) * factor + offset, node.input[0]))
            graph.replace(node, node.input[0])
        else:
            sides = (1, -1, *[1] * (len(graph.shape(node.input[0]) or [0] * 4) - 2))
            read = node.input[0]
            product = graph.add(node, "Mul", read, graph.store(factor.reshape(sides), read))
            moved = graph.add(node, "Add", product, graph.store(offset.reshape(sides), read))
            graph.replace(node, moved)
        changed += 1
    return changed


def gemm_as_matmul(graph: "Graph") -> int:
    """Gemm with constant weights as MatMul and Add."""
    changed = 0
    for node in graph.of("Gemm"):
        given, weight = attributes(node), graph.constant(node.input[1])
        bias = graph.constant(node.input[2]) if len(node.input) > 2 else None
        if given.get("transA") or weight is None or (len(node.input) > 2 and bias is None):
            continue
        weight = weight.T if given.get("transB") else weight
        read = node.input[0]
        factors = graph.store(weight * given.get("alpha", 1.0), read)
        product = graph.add(node, "MatMul", read, factors)
        if bias is not None:
            moved = graph.store(bias * given.get("beta", 1.0), read)
            product = graph.add(node, "Add", product, moved)
        graph.replace(node, product)
        changed += 1
    return changed


def no_quantization(graph: "Graph") -> int:
    """Without QuantizeLinear and DequantizeLinear: rounded weights stay rounded, in float32."""
    import numpy as np

    changed = 0
    for node in graph.of("DequantizeLinear"):
        maker, stored = graph.maker(node.input[0]), graph.constant(node.input[0])
        if maker is not None and maker.op_type == "QuantizeLinear":
            graph.replace(node, maker.input[0])
        elif stored is not None:
            scale = np.asarray(graph.constant(node.input[1]), np.float64)
            zero = graph.constant(node.input[2]) if len(node.input) > 2 else None
            zero = np.zeros_like(scale) if zero is None else np.asarray(zero, np.float64)
            sides = [1] * stored.ndim
            if scale.size > 1:
                sides[attributes(node).get("axis", 1)] = scale.size
            real = (stored - zero.reshape(sides)) * scale.reshape(sides) if sides else (
                stored - zero) * scale  # fmt: skip
            graph.replace(node, graph.store(np.asarray(real), node.output[0]))
        else:
            continue
        changed += 1
    return changed


UNCHECKED = "no quantization"
REWRITES: dict[str, Callable[[Any], int]] = {
    "explicit padding": explicit_padding,
    "no ceil_mode": no_ceil_mode,
    "plain activations": plain_activations,
    "folded batch norms": folded_batch_norms,
    "Gemm as MatMul and Add": gemm_as_matmul,
    UNCHECKED: no_quantization,
}
