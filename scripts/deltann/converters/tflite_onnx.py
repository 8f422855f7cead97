"""tf2onnx, from a TFLite file."""

from pathlib import Path

from deltann.converters import accept
from deltann.converters.tf2onnx import start
from deltann.formats.onnx_graph import fix_batch
from deltann.formats.onnx_names import name_constants
from deltann.formats.onnx_spot_check import unchanged

SOURCE = "tflite"
TARGET = "onnx"
ENVIRONMENT = "tensorflow"
check = accept


def convert(model_file: Path, output: Path, opset: int = 18, channels_first: bool = False) -> None:
    """Convert a `.tflite` file to ONNX.

    Args:
        model_file: the `.tflite` file.
        output: the `.onnx` file to write.
        opset: version of the ONNX operators.
        channels_first: give the ONNX model an NCHW input, which onnx2tf and onnx2keras expect;
            otherwise it has the file's layout, NHWC, and a transposition behind the input.
    """
    start()
    import onnx
    import tf2onnx

    inputs = _inputs(model_file) if channels_first else None
    converted, _ = tf2onnx.convert.from_tflite(str(model_file), opset=opset, inputs_as_nchw=inputs)
    with unchanged(converted):
        fix_batch(converted.graph)
    with unchanged(converted):
        name_constants(converted.graph)
    onnx.save(converted, output)


def _inputs(path: Path) -> list[str]:
    """The names of a TFLite file's inputs."""
    from tensorflow.lite.tools.flatbuffer_utils import read_model

    graph = read_model(str(path)).subgraphs[0]
    return [graph.tensors[index].name.decode() for index in graph.inputs]
