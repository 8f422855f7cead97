"""onnx2torch: an ONNX model rebuilt from PyTorch modules."""

from pathlib import Path

from deltann.converters import accept
from deltann.formats import exported_program
from deltann.formats.onnx_names import naming, number_nodes
from deltann.formats.onnx_spot_check import unchanged
from deltann.formats.onnx_types import input_type
from deltann.formats.torchvision_loader import load_torchvision

SOURCE = "onnx"
TARGET = "torch"
ENVIRONMENT = "onnx2torch"
check = accept


def convert(model_file: Path, output: Path) -> None:
    """Convert an `.onnx` file to a `.pt2` file.

    Args:
        model_file: the `.onnx` file, which should have opset 10. In later ones axes (since 13) and
            paddings (since 11) are inputs; onnx2torch 1.5 computes them from tensors, which
            torch.export refuses or TVM can't import.
        output: the ExportedProgram to write.

    Raises:
        NotImplementedError: onnx2torch doesn't know one of the operators.
    """
    import onnx

    load_torchvision()  # onnx2torch imports it
    from onnx2torch import convert as rebuild

    model = onnx.load(model_file)
    # modules are named after nodes, and torch.export can't load a name with a `;`
    with unchanged(model):
        names = number_nodes(model.graph)
    with naming(names):
        shape = [side.dim_value for side in model.graph.input[0].type.tensor_type.shape.dim]
        kind = input_type(model.graph).dtype
        exported_program.save(rebuild(model).eval(), tuple(shape), output, kind)
