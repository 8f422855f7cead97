"""onnx2pytorch: an ONNX model rebuilt from PyTorch modules."""

from functools import partial
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.converters import accept
from deltann.formats import exported_program
from deltann.formats.onnx_names import naming, number_tensors
from deltann.formats.onnx_spot_check import unchanged
from deltann.formats.onnx_types import input_type
from deltann.formats.torchvision_loader import load_torchvision
from deltann.ours import ours
from deltann.tolerance import TOLERANCE

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
    with unchanged(model):
        names = number_tensors(model.graph)
    with naming(names):
        network = ConvertModel(model).eval()
        image = spot_check.image(shape, kind)
        expected = _answer(network, image)  # fails here where onnx2pytorch's modules do
        what = "tracing onnx2pytorch's modules"
        with ours(what), torch.no_grad():
            traced = _traced(network, sample)
            rounding = partial(spot_check.sensitivity, partial(_answer, network), image, expected)
            spot_check.compare(what, expected, _answer(traced, image), TOLERANCE, rounding)
        exported_program.save(traced, shape, output, kind)


def _answer(network: Any, image: Any) -> Any:
    """A PyTorch module's answer, from and to a numpy array."""
    import torch

    with torch.no_grad():
        return network(torch.from_numpy(image)).numpy()


def _traced(network: Any, sample: Any) -> Any:
    """The module as a trace of one call, which can be exported.

    When called, onnx2pytorch's modules read paddings and shapes from constant tensors. torch.export
    treats those as values that depend on the image; a trace has the numbers. Where it reads them
    from a constant nevertheless, it asserts what it inferred, and a side of -1 isn't what it stands
    for. Shapes are fixed, so the assertions go.
    """
    import torch
    from torch._export.converter import TS2EPConverter

    with torch.no_grad():
        traced = torch.jit.trace(network, (sample,), check_trace=False)
    module = TS2EPConverter(traced, (sample,)).convert().module()
    for node in [*module.graph.nodes]:
        if node.target is torch.ops.aten._assert_scalar.default:
            module.graph.erase_node(node)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module
