"""onnx2pytorch: an ONNX model rebuilt from PyTorch modules."""

from pathlib import Path
from typing import Any

from deltann.converters import accept
from deltann.formats import exported_program
from deltann.formats.onnx_names import naming, number_tensors
from deltann.formats.onnx_types import input_type
from deltann.formats.torchvision_loader import load_torchvision
from deltann.ours import ours

SOURCE = "onnx"
TARGET = "torch"
ENVIRONMENT = "onnx2pytorch"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert an `.onnx` file to a `.pt2` file.

    Args:
        model_file: the `.onnx` file.
        output: the ExportedProgram to write.

    Raises:
        NotImplementedError: onnx2pytorch doesn't know one of the operators.
    """
    import onnx
    import torch

    load_torchvision()  # onnx2pytorch imports it
    from onnx2pytorch import ConvertModel

    model = onnx.load(model_file)
    shape = tuple(side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim)
    kind = input_type(model.graph).dtype
    sample = torch.zeros(shape, dtype=getattr(torch, kind))
    with naming(number_tensors(model.graph)):
        network = ConvertModel(model).eval()
        with torch.no_grad():
            network(sample)  # fails here where onnx2pytorch's modules do
        with ours("tracing onnx2pytorch's modules"):
            traced = _traced(network, sample)
        exported_program.save(traced, shape, output, kind)


def _traced(network: Any, sample: Any) -> Any:
    """The module as a trace of one call, which can be exported.

    When called, onnx2pytorch's modules read paddings and shapes from constant tensors. torch.export
    treats those as values that depend on the image; a trace has the numbers.
    """
    import torch
    from torch._export.converter import TS2EPConverter

    with torch.no_grad():
        traced = torch.jit.trace(network, (sample,), check_trace=False)
    return TS2EPConverter(traced, (sample,)).convert().module()
