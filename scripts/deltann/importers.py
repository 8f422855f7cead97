"""How TVM reads the model files it can import."""

from pathlib import Path

IMPORTS = ("torch", "onnx", "tflite")


def import_model(source: Path, framework: str):
    """Import a model file, its weights as constants.

    Args:
        source: the file.
        framework: one of `IMPORTS`.

    Returns:
        `tvm.IRModule` whose `main` takes a float32 batch and returns the logits.

    Raises:
        ValueError: a framework that TVM doesn't import.
    """
    if framework == "torch":
        return _torch(source)
    if framework == "onnx":
        return _onnx(source)
    if framework == "tflite":
        return _tflite(source)
    raise ValueError(f"framework {framework!r}; expected one of {', '.join(IMPORTS)}")


def _torch(source: Path):
    import torch
    from tvm.relax.frontend.torch import from_exported_program

    return from_exported_program(
        torch.export.load(source), keep_params_as_input=False, unwrap_unit_return_tuple=True
    )


def _onnx(source: Path):
    import onnx
    from tvm.relax.frontend.onnx import from_onnx

    return from_onnx(onnx.load(source), keep_params_in_input=False)


def _tflite(source: Path):
    import tflite
    from tvm.relax.frontend.tflite import from_tflite

    return from_tflite(tflite.Model.GetRootAsModel(source.read_bytes(), 0))
