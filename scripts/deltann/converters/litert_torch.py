"""litert-torch (formerly ai-edge-torch): PyTorch to TFLite, not through ONNX or a SavedModel."""

from pathlib import Path

from deltann.converters import accept
from deltann.formats import exported_program

SOURCE = "torch"
TARGET = "tflite"
ENVIRONMENT = "litert_torch"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert a `.pt2` file to a `.tflite` file; its input keeps PyTorch's layout, NCHW.

    Args:
        model_file: the ExportedProgram.
        output: the `.tflite` file to write.
    """
    import litert_torch

    program = exported_program.load(model_file)
    sample = exported_program.sample(program)
    litert_torch.convert(program.module(), (sample,)).export(str(output))
