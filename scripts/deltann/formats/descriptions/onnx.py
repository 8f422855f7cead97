"""What an ONNX file says of itself. Its weights in other files aren't read."""

from collections import Counter
from pathlib import Path
from typing import Any

from deltann.formats import onnx_types
from deltann.formats.descriptions import OPEN, Description, most_common, only_input
from deltann.formats.onnx_graph import drop_initialized_inputs


def describe(path: Path) -> Description:
    """See `descriptions.Describer`."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    drop_initialized_inputs(model)
    graph = model.graph
    name = only_input([item.name for item in graph.input])
    kind = onnx_types.input_type(graph)
    opset = next((item.version for item in model.opset_import if not item.domain), "none")
    writer = f"{model.producer_name} {model.producer_version}".strip()
    return Description(
        input_name=name,
        shape=_sides(graph.input[0]),
        dtype=kind.dtype,
        outputs={item.name: _sides(item) for item in graph.output},
        scale=kind.scale,
        zero_point=kind.zero_point,
        precision=most_common(_bytes_by_type(graph)),
        written_by=f"{writer or 'an unnamed tool'}, opset {opset}",
    )


def _sides(item: Any) -> tuple[int, ...]:
    return tuple(side.dim_value or OPEN for side in item.type.tensor_type.shape.dim)


def _bytes_by_type(graph: Any) -> dict[str, int]:
    from math import prod

    from onnx.helper import tensor_dtype_to_np_dtype

    sizes: Counter[str] = Counter()
    for item in graph.initializer:
        dtype = tensor_dtype_to_np_dtype(item.data_type)
        if dtype != "int64" and prod(item.dims) > 1:  # else it is an operator's constant
            sizes[dtype.name] += prod(item.dims) * dtype.itemsize
    return sizes
