"""PyTorch's own ONNX exporters, from an ExportedProgram."""

from pathlib import Path
from typing import Any

from deltann.formats.exported_program import load, sample

SOURCE = "torch"
TARGET = "onnx"
ENVIRONMENT = "torch"
EXPORTERS = ("dynamo", "torchscript")
FOLDED, KEPT = "folded", "kept"


def check(exporter: str = "dynamo", batch_norms: str = FOLDED, **settings: Any) -> None:
    """Check settings of `convert` before any work.

    Raises:
        ValueError: an unknown exporter, or batch norms that the exporter can't keep.
    """
    if exporter not in EXPORTERS:
        raise ValueError(f"exporter {exporter!r}; expected one of {', '.join(EXPORTERS)}")
    if batch_norms not in (FOLDED, KEPT):
        raise ValueError(f"batch_norms {batch_norms!r}; expected {FOLDED} or {KEPT}")
    if batch_norms == KEPT and exporter != "torchscript":
        raise ValueError(
            f"batch_norms {KEPT!r} with exporter {exporter!r}, whose optimizer folds them; "
            "expected exporter torchscript"
        )


def convert(
    model_file: Path,
    output: Path,
    opset: int = 18,
    exporter: str = "dynamo",
    batch_norms: str = FOLDED,
) -> None:
    """Convert a `.pt2` file to ONNX.

    Args:
        model_file: the ExportedProgram.
        output: the file to write, weights inside.
        opset: version of the ONNX operators.
        exporter: `dynamo`, or `torchscript`, the older one.
        batch_norms: `folded` into the convolutions before them, or `kept` as operators for a
            compiler to fold; then nothing else is folded either.

    Raises:
        ValueError: see `check`.
    """
    check(exporter, batch_norms)
    import torch

    program = load(model_file)
    settings = {"opset_version": opset, "verbose": False}
    if exporter == "dynamo":
        converted = torch.onnx.export(program, dynamo=True, **settings)
        converted.save(output, external_data=False)
        return
    if batch_norms == KEPT:
        # PRESERVE: the program is for inference already, and its module has no training mode
        mode = torch.onnx.TrainingMode.PRESERVE
        settings |= {"training": mode, "do_constant_folding": False}
    given = (sample(program),)
    # traced first: the exporter calls train(), which an ExportedProgram's module refuses
    traced = torch.jit.trace(program.module(), given, check_trace=False)
    torch.onnx.export(traced, given, output, dynamo=False, **settings)
