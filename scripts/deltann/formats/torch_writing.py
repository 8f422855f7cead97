"""New calls in a PyTorch graph: what its writers share."""

from collections.abc import Sequence
from typing import Any

from deltann.formats.torch_graph import Network, bound, operator_name
from deltann.formats.torch_reading import Parameter, is_node

# Operators' constants that are trained; the others are buffers.
LEARNED = ("weight", "bias", "scale", "shift", "slope")
# What an operator of a kind may have without having it.
MORE_ATTRIBUTES = {
    "average_pool": {"divisor"},
    "resize": {"rounding", "antialias"},
}
MORE_PARAMETERS = {
    **dict.fromkeys(("convolution", "transposed_convolution", "dense"), {"bias"}),
    "batch_norm": {"mean", "variance"},
}


class Writer:
    """Adds nodes to the graph of a `torch.fx.GraphModule`, behind all others.

    The graph has to be sorted afterwards, by `torch_sorting`.
    """

    def __init__(self, module: Any):
        self.module, self.count = module, 0

    def call(self, operator: Any, *args: Any, **kwargs: Any) -> Any:
        """A node that calls an overload of `torch.ops`, with what it will give as `val`."""
        import torch

        graph = self.module.graph
        with graph.inserting_before(graph.output_node()):
            node = graph.call_function(operator, args, kwargs)
        metas = [torch.fx.map_arg(items, _meta) for items in (node.args, node.kwargs)]
        node.meta["val"] = operator(*metas[0], **metas[1])
        return node

    def constant(self, value: Any, name: str = "operand") -> Any:
        """A node that reads a new `torch.Tensor` of the module; `name` says what it is."""
        import torch

        known = {name for name, _ in self.module.named_parameters()}
        known |= {name for name, _ in self.module.named_buffers()}
        while f"edited_{self.count}" in known:
            self.count += 1
        target, value = f"edited_{self.count}", value.detach().clone().contiguous()
        if name in LEARNED:
            parameter = torch.nn.Parameter(value, requires_grad=False)
            self.module.register_parameter(target, parameter)
        else:
            self.module.register_buffer(target, value)
        graph = self.module.graph
        with graph.inserting_before(graph.output_node()):
            node = graph.get_attr(target)
        node.meta["val"] = value.to("meta")
        return node

    def parameters(self, parameters: dict[str, Parameter]) -> dict[str, Any]:
        """A node for each parameter."""
        return {
            name: parameter.source
            if is_node(parameter.source)
            else self.constant(parameter.value, name)
            for name, parameter in parameters.items()
        }

    def pad(self, node: Any, pads: Sequence[int], value: float = 0, mode: str = "constant") -> Any:
        """A tensor with [top, left, bottom, right] more; with less, if they are negative."""
        import torch

        top, left, bottom, right = pads
        limit = {"value": value} if mode == "constant" else {}
        return self.call(
            torch.ops.aten.pad.default, node, [left, right, top, bottom], mode, **limit
        )


def _meta(node: Any) -> Any:
    """What a node gives, as tensors without numbers."""
    import torch
    from torch.utils import _pytree as pytree

    return pytree.tree_map(
        lambda value: (
            torch.empty(value.shape, dtype=value.dtype, device="meta")
            if isinstance(value, torch.Tensor)
            else value
        ),
        node.meta["val"],
    )


def quantized_like(writer: Writer, network: Network, dequantize: Any, value: Any) -> Any:
    """A node that dequantizes a new value, stored as the constant of another such node is.

    Args:
        writer: adds the node.
        network: has the graph.
        dequantize: the other node, of `quantized_decomposed`.
        value: `torch.Tensor`.
    """
    import torch

    packet = getattr(torch.ops.quantized_decomposed, operator_name(dequantize).removeprefix("de"))
    overload = getattr(packet, dequantize.target._overloadname)
    arguments = {
        key: network.value(item) if is_node(item) else item
        for key, item in bound(dequantize).items()
        if key not in ("input", "out_dtype")
    }
    if arguments.get("zero_points", 0) is None:
        arguments["zero_points"] = torch.zeros_like(arguments["scales"], dtype=torch.int64)
    stored = writer.constant(overload(value.float(), **arguments), "bytes")
    return writer.call(dequantize.target, stored, *dequantize.args[1:], **dequantize.kwargs)
