"""OpenVINO's converter, from a PyTorch ExportedProgram."""

from pathlib import Path

from deltann.converters import accept
from deltann.formats import exported_program, openvino_ir
from deltann.ours import ours

SOURCE = "torch"
TARGET = "openvino"
ENVIRONMENT = "openvino"
check = accept


def convert(model_file: Path, output: Path, compress_to_fp16: bool = False) -> None:
    """Convert a `.pt2` file to a tarred IR.

    Args:
        model_file: the ExportedProgram.
        output: the tarred IR to write.
        compress_to_fp16: round float32 weights to float16, as OpenVINO's `save_model` and `ovc` do
            by default.
    """
    program = exported_program.load(model_file)
    model = openvino_ir.start().convert_model(program)
    with ours("fixing the input's shape, which OpenVINO leaves open"):
        model.reshape(list(exported_program.input_shape(program)))
    openvino_ir.write(model, output, compress_to_fp16)
