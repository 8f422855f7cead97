"""PyTorch's own ONNX exporter, from an ExportedProgram."""

from pathlib import Path

from deltann.exported import load

SOURCE = "torch"
TARGET = "onnx"
ENVIRONMENT = "torch"


def convert(source: Path, target: Path, opset: int = 18) -> None:
    """Convert a `.pt2` file to ONNX.

    Args:
        source: the ExportedProgram.
        target: the file to write, weights inside.
        opset: of the ONNX operators.
    """
    import torch

    converted = torch.onnx.export(load(source), dynamo=True, opset_version=opset, verbose=False)
    converted.save(target, external_data=False)
