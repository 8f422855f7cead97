"""Writers of operators with weights, of pooling and of reductions into a PyTorch graph.

A writer adds the nodes that compute an operator, and gives the last one.
"""

from collections.abc import Callable
from typing import Any

from deltann.edits import Impossible
from deltann.formats.torch_reading import Parameter, number, shape
from deltann.formats.torch_writing import Writer

Write = Callable[[Writer, list[Any], dict[str, Any], dict[str, Parameter]], Any]


def convolution(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`conv2d`, behind a padding if it isn't symmetric."""
    import torch

    node, pads = _symmetric(writer, inputs[0], attributes.get("pads", [0] * 4), 0)
    given = writer.parameters(parameters)
    return writer.call(
        torch.ops.aten.conv2d.default,
        *(node, given["weight"], given.get("bias")),
        *(attributes.get("strides", [1, 1]), pads, attributes.get("dilations", [1, 1])),
        attributes.get("groups", 1),
    )


def transposed_convolution(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`conv_transpose2d`, cropped if its padding isn't symmetric."""
    import torch

    top, left, bottom, right = attributes.get("pads", [0] * 4)
    pads = [min(top, bottom), min(left, right)]
    given = writer.parameters(parameters)
    node = writer.call(
        torch.ops.aten.conv_transpose2d.input,
        *(inputs[0], given["weight"], given.get("bias"), attributes.get("strides", [1, 1]), pads),
        *(attributes.get("output_padding", [0, 0]), attributes.get("groups", 1)),
        attributes.get("dilations", [1, 1]),
    )
    more = [pads[0] - top, pads[1] - left, pads[0] - bottom, pads[1] - right]
    return writer.pad(node, more) if any(more) else node


def dense(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`linear`."""
    import torch

    given = writer.parameters(parameters)
    return writer.call(torch.ops.aten.linear.default, inputs[0], given["weight"], given.get("bias"))


def matmul(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`matmul`, behind transpositions."""
    import torch

    factors = [
        writer.call(torch.ops.aten.transpose.int, node, -1, -2) if attributes.get(flag) else node
        for node, flag in zip(inputs, ("transpose_a", "transpose_b"), strict=True)
    ]
    return writer.call(torch.ops.aten.matmul.default, *factors)


def batch_norm(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`batch_norm`."""
    import torch

    training = attributes.get("training", False)
    given = writer.parameters(parameters)
    statistics = [given.get(name) for name in ("mean", "variance")]
    if not training and None in statistics:
        raise Impossible("this batch norm has no mean and variance to use outside training")
    return writer.call(
        torch.ops.aten.batch_norm.default,
        *(inputs[0], given.get("scale"), given.get("shift"), *statistics),
        *(training, 0.0, attributes["epsilon"], False),
    )


def max_pool(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`max_pool2d`, behind a padding if it isn't symmetric."""
    import torch

    kernel = attributes["kernel"]
    padding = attributes.get("pads", [0] * 4)
    node, pads = _symmetric(writer, inputs[0], padding, float("-inf"), kernel)
    return writer.call(
        torch.ops.aten.max_pool2d.default,
        *(node, kernel, attributes.get("strides", kernel), pads),
        *(attributes.get("dilations", [1, 1]), attributes.get("ceil_mode", False)),
    )


def average_pool(
    writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
) -> Any:
    """`avg_pool2d`; behind a padding that isn't symmetric, with what it makes smaller corrected."""
    import torch

    kernel, padding = attributes["kernel"], attributes.get("pads", [0] * 4)
    counted = attributes.get("count_include_pad", False)
    node, pads = _symmetric(writer, inputs[0], padding, 0, kernel)
    arguments = (
        *(kernel, attributes.get("strides", kernel), pads, attributes.get("ceil_mode", False)),
        *(counted, attributes.get("divisor")),
    )
    pooled = writer.call(torch.ops.aten.avg_pool2d.default, node, *arguments)
    if node is inputs[0] or counted or "divisor" in attributes:
        return pooled
    value = inputs[0].meta["val"]
    ones = torch.ones((1, 1, *shape(inputs[0])[2:]), dtype=value.dtype)
    top, left, bottom, right = padding
    share = torch.ops.aten.avg_pool2d.default(
        torch.ops.aten.pad.default(ones, [left, right, top, bottom]), *arguments
    )
    return writer.call(torch.ops.aten.mul.Tensor, pooled, writer.constant(1 / share))


def _symmetric(
    writer: Writer,
    node: Any,
    pads: list[int],
    value: float,
    kernel: list[int] | None = None,
) -> tuple[Any, list[int]]:
    """A tensor and the padding [y, x] that is left to an operator, which pads symmetrically.

    Args:
        writer: adds the padding before the operator, if one is needed.
        node: the tensor.
        pads: [top, left, bottom, right].
        value: what the operator pads with.
        kernel: of pooling, which pads at most half of it.
    """
    half = [side // 2 for side in kernel] if kernel else pads[:2]
    fits = all(0 <= pad <= most for pad, most in zip(pads[:2], half, strict=True))
    if pads[:2] == pads[2:] and fits:
        return node, pads[:2]
    return writer.pad(node, pads, value), [0, 0]


def reduction(kind: str) -> Write:
    """The writer of a kind of reduction."""

    def write(
        writer: Writer, inputs: list[Any], attributes: dict, parameters: dict[str, Parameter]
    ) -> Any:
        import torch

        aten = torch.ops.aten
        axes, keep = [number(axis) for axis in attributes["axes"]], attributes.get("keepdims", True)
        if kind == "prod":
            node = inputs[0]
            for axis in sorted(axes, reverse=True):
                node = writer.call(aten.prod.dim_int, node, axis, keep)
            return node
        operator = {
            **{"mean": aten.mean.dim, "sum": aten.sum.dim_IntList},
            **{"max": aten.amax.default, "min": aten.amin.default},
        }[kind]
        return writer.call(operator, inputs[0], axes, keep)

    return write


WRITERS: dict[str, Write] = {
    "convolution": convolution,
    "transposed_convolution": transposed_convolution,
    "dense": dense,
    "matmul": matmul,
    "batch_norm": batch_norm,
    "max_pool": max_pool,
    "average_pool": average_pool,
    **{kind: reduction(kind) for kind in ("mean", "sum", "max", "min", "prod")},
}
