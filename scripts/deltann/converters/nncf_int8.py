"""NNCF, OpenVINO's quantizer: weights and activations of 8 bits, with its default settings."""

from itertools import islice
from pathlib import Path

from deltann.converters import accept
from deltann.formats import openvino_ir
from deltann.formats.tensor_types import encode
from deltann.images.calibration import Calibration

SOURCE = TARGET = ENVIRONMENT = "openvino"
IMAGES = 300  # as many as NNCF takes by default
check = accept


def convert(
    model_file: Path, output: Path, calibration: Calibration, transformer: bool = False
) -> None:
    """Quantize a tarred IR.

    Args:
        model_file: the tarred IR.
        output: the tarred IR to write.
        calibration: the images on which ranges are found and biases are corrected: the first
            `IMAGES`.
        transformer: whether to quantize the model as NNCF does with transformers.

    Raises:
        ValueError: the images don't fit the model's input.
    """
    openvino_ir.start()
    import nncf

    model = openvino_ir.read(model_file)
    kind = openvino_ir.input_type(model)
    images = calibration.inputs(tuple(model.inputs[0].shape))
    dataset = nncf.Dataset([encode(image, kind) for image in islice(images, IMAGES)])
    model_type = nncf.ModelType.TRANSFORMER if transformer else None
    openvino_ir.write(nncf.quantize(model, dataset, model_type=model_type), output)
