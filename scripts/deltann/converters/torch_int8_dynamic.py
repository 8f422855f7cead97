"""PyTorch's PT2E quantizer for x86 CPUs, of torchao, with the scales of activations found at run
time.

The quantized program is that of `torch_int8`, with `choose_qparams` before each
`quantize_per_tensor`.
"""

from pathlib import Path

from deltann.converters import accept
from deltann.converters.torch_int8 import quantize
from deltann.formats import exported_program

SOURCE = TARGET = ENVIRONMENT = "torch"
check = accept


def convert(model_file: Path, output: Path, reduce_range: bool = False) -> None:
    """Quantize a `.pt2` file.

    Args:
        model_file: the ExportedProgram.
        output: the ExportedProgram to write.
        reduce_range: whether activations have 7 bits, which torchao recommends on CPUs without
            VNNI instructions.
    """
    program = exported_program.load(model_file)
    # weights are observed in a call, whatever the image
    images = [exported_program.sample(program)]
    quantize(program, images, output, is_dynamic=True, reduce_range=reduce_range)
