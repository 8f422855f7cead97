"""How the script of an example quantizes a file, calibrated on the example's own input.

See `snippets_convert`.
"""

import inspect
from typing import Any

from deltann.converters import ort_static, torch_int8
from deltann.explain.snippets_run import KERAS, TENSORS

TFLITE = """
import tensorflow
tool = tensorflow.lite.TFLiteConverter.from_saved_model("model")
tool.optimizations = [tensorflow.lite.Optimize.DEFAULT]
{more}
open("converted.tflite", "wb").write(tool.convert())
"""
ORT = """
from onnxruntime import quantization
quantization.quant_pre_process("model.onnx", "prepared.onnx")
"""
AI_EDGE = """
from ai_edge_quantizer import quantizer, recipe
tool = quantizer.Quantizer("model.tflite", recipe.{recipe}())
"""
# torchao's quantizer finds operators by notes on them, which a saved program has lost.
NOTES = inspect.getsource(torch_int8.name_sources).replace(": Any", "").replace("{", "{{")
PT2E = f"""
import torch
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
{NOTES.replace("}", "}}")}
module = torch.export.load("model.pt2").module()
name_sources(module.graph)
quantizer = x86.X86InductorQuantizer()
quantizer.set_global(x86.get_default_x86_inductor_quantization_config(
    is_dynamic=DYNAMIC, reduce_range={{reduce_range}}))
prepared = prepare_pt2e(module, quantizer)
prepared(*{TENSORS})
converted = convert_pt2e(prepared)
"""
WITHIN = {
    "ai_edge_static": f"""
from ai_edge_litert.interpreter import Interpreter
{AI_EDGE.strip()}
signatures = Interpreter("model.tflite").get_signature_list()
samples = {{{{key: [dict(zip(names["inputs"], inputs))] for key, names in signatures.items()}}}}
made = tool.quantize(tool.calibrate(samples)).quantized_model
open("converted.tflite", "wb").write(made)
""",
    "ai_edge_weights": f"""
{AI_EDGE.strip()}
open("converted.tflite", "wb").write(tool.quantize().quantized_model)
""",
    "keras_quantize": f"""
{KERAS}
rounding = "default" if {{activations!r}} == "dynamic" else None
model.quantize(config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=rounding))
model.save("converted.keras")
""",
    "nncf_int8": """
import os, sys
sys.modules.setdefault("openvino_telemetry", None)  # nothing is sent to Google Analytics
import nncf, openvino
model = openvino.Core().read_model("model/model.xml")
kind = nncf.ModelType.TRANSFORMER if {transformer} else None
made = nncf.quantize(model, nncf.Dataset([inputs[0]]), model_type=kind)
os.makedirs("converted", exist_ok=True)
openvino.save_model(made, "converted/model.xml", compress_to_fp16=False)
""",
    "onnx_float16": """
import onnx
from onnxconverter_common import float16
made = float16.convert_float_to_float16(onnx.load("model.onnx"), keep_io_types={keep_io_types})
onnx.save(made, "converted.onnx")
""",
    "ort_dynamic": f"""
{ORT.strip()}
quantization.quantize_dynamic("prepared.onnx", "converted.onnx", per_channel={{per_channel}},
                              weight_type=quantization.QuantType.QInt8)
""",
    "ort_static": f"""
import onnx
{ORT.strip()}
class Reader(quantization.CalibrationDataReader):
    names = [item.name for item in onnx.load("model.onnx").graph.input]
    feeds = iter([dict(zip(names, inputs))])
    def get_next(self):
        return next(self.feeds, None)
quantization.quantize_static(
    "prepared.onnx", "converted.onnx", Reader(), quant_format=quantization.QuantFormat.QDQ,
    per_channel={{per_channel}}, activation_type=quantization.QuantType.{{activation_type}},
    weight_type=quantization.QuantType.QInt8,
    calibrate_method=quantization.CalibrationMethod.{{calibrate_method}})
""",
    "tflite_dynamic": TFLITE.format(more=""),
    "tflite_float16": TFLITE.format(more="tool.target_spec.supported_types = [tensorflow.float16]"),
    "tflite_int8": TFLITE.format(
        more="""tool.target_spec.supported_ops = [tensorflow.lite.OpsSet.{operators}]
tool.representative_dataset = lambda: [inputs]
if {ends!r} == "integer":
    tool.inference_input_type = tool.inference_output_type = tensorflow.{activations}"""
    ),
    "torch_int8": PT2E.replace("DYNAMIC", "False"),
    "torch_int8_dynamic": PT2E.replace("DYNAMIC", "True"),
}
# The operators of TFLite by the type of activations.
OPERATORS = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}


def fields(name: str, settings: dict[str, Any]) -> dict[str, str]:
    """What the tools call the settings of a converter, where that is another word."""
    if name == "ort_static":
        return {
            "activation_type": ort_static.ACTIVATIONS[settings["activations"]],
            "calibrate_method": ort_static.METHODS[settings["method"]],
        }
    if name == "tflite_int8":
        return {"operators": OPERATORS[settings["activations"]]}
    return {}
