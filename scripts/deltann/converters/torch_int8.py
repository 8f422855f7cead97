"""PyTorch's PT2E quantizer for x86 CPUs, of torchao: 8-bit weights and activations.

The quantized program has float32 operators between `quantize_per_tensor` and
`dequantize_per_tensor`; weights are stored in 8 bits, with a scale for each channel.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deltann.converters import accept
from deltann.formats import exported_program
from deltann.images.calibration import Calibration
from deltann.ours import ours

SOURCE = TARGET = ENVIRONMENT = "torch"
check = accept


def convert(
    model_file: Path, output: Path, calibration: Calibration, reduce_range: bool = False
) -> None:
    """Quantize a `.pt2` file.

    Args:
        model_file: the ExportedProgram.
        output: the ExportedProgram to write.
        calibration: the images on which the ranges of activations are found.
        reduce_range: whether activations have 7 bits, which torchao recommends on CPUs without
            VNNI instructions.
    """
    import torch

    program = exported_program.load(model_file)
    images = calibration.inputs(exported_program.input_shape(program))
    tensors = (torch.from_numpy(image) for image in images)
    quantize(program, tensors, output, is_dynamic=False, reduce_range=reduce_range)


def quantize(
    program: Any, images: Iterable[Any], output: Path, is_dynamic: bool, reduce_range: bool
) -> None:
    """Quantize a `torch.export.ExportedProgram` and save it.

    Args:
        program: the program.
        images: the inputs on which ranges are found, `torch.Tensor`.
        output: the `.pt2` file to write.
        is_dynamic: whether the scales of activations are found at run time.
        reduce_range: see `convert`.
    """
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    shape, kind = exported_program.input_shape(program), exported_program.input_dtype(program)
    module = program.module()
    with ours("naming what the operators of an exported graph are called by"):
        name_sources(module.graph)
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(
        x86.get_default_x86_inductor_quantization_config(
            is_dynamic=is_dynamic, reduce_range=reduce_range
        )
    )
    prepared = prepare_pt2e(module, quantizer)
    with torch.no_grad():
        for image in images:
            prepared(image)
    quantized = convert_pt2e(prepared)
    with ours("removing weights that nothing reads from an exported graph"):
        drop_unread(quantized)
    exported_program.save(quantized, shape, output, kind)


def name_sources(graph: Any) -> None:
    """Note on each operator of a `torch.fx.Graph` which function or module calls it.

    X86InductorQuantizer finds convolutions and activations by these notes. A saved program has
    lost them: of EfficientNet-Lite0 only the classifier would be quantized.
    """
    import operator

    import torch
    from torch import nn

    aten = torch.ops.aten
    sources = {
        aten.conv1d.default: nn.Conv1d,
        aten.conv2d.default: nn.Conv2d,
        aten.linear.default: nn.Linear,
        aten.batch_norm.default: nn.BatchNorm2d,
        aten.add.Tensor: operator.add,
        aten.add_.Tensor: operator.add,
        aten.relu.default: nn.ReLU,
        aten.relu_.default: nn.ReLU,
        aten.hardtanh.default: nn.Hardtanh,
        aten.hardtanh_.default: nn.Hardtanh,
        aten.relu6.default: nn.ReLU6,
        aten.hardswish.default: nn.Hardswish,
        aten.hardswish_.default: nn.Hardswish,
        aten.silu.default: nn.SiLU,
        aten.silu_.default: nn.SiLU,
    }
    for node in graph.nodes:
        if node.op == "call_function":
            node.meta["source_fn_stack"] = [(node.name, sources.get(node.target, node.target))]


def drop_unread(module: Any) -> None:
    """Delete the tensors of a `torch.fx.GraphModule` that its graph doesn't read.

    Quantized weights are new tensors; the float32 ones would stay in the file.
    """
    read = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    for name in [*dict(module.named_parameters()), *dict(module.named_buffers())]:
        if name not in read:
            path, _, last = name.rpartition(".")
            delattr(module.get_submodule(path), last)
