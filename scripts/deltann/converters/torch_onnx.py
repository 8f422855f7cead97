"""PyTorch's own ONNX exporters, from an ExportedProgram."""

from pathlib import Path

from deltann.exported import input_shape, load

SOURCE = "torch"
TARGET = "onnx"
ENVIRONMENT = "torch"
EXPORTERS = ("dynamo", "torchscript")


def convert(source: Path, target: Path, opset: int = 18, exporter: str = "dynamo") -> None:
    """Convert a `.pt2` file to ONNX.

    Args:
        source: the ExportedProgram.
        target: the file to write, weights inside.
        opset: of the ONNX operators.
        exporter: `dynamo`, or `torchscript`, the older one.

    Raises:
        ValueError: another exporter.
    """
    if exporter not in EXPORTERS:
        raise ValueError(f"exporter {exporter!r}; expected one of {', '.join(EXPORTERS)}")
    import torch

    program = load(source)
    settings = {"opset_version": opset, "verbose": False}
    if exporter == "dynamo":
        converted = torch.onnx.export(program, dynamo=True, **settings)
        converted.save(target, external_data=False)
        return
    sample = (torch.zeros(input_shape(program)),)
    # traced here, because the exporter calls train(), which an ExportedProgram's module refuses
    traced = torch.jit.trace(program.module(), sample, check_trace=False)
    torch.onnx.export(traced, sample, target, dynamo=False, **settings)
