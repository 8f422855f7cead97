"""How the script of an example converts a file: the plain call of each converter, and TVM's import.

A call reads `model`, a file of the converter's source, and `inputs`, the example's arrays. It
leaves what it makes in the file `converted`, or in memory under that name: see `OBJECTS`. `{name}`
stands for the converter's setting of that name, or for what `text` adds.
"""

from typing import Any

from deltann import converters
from deltann.explain import snippets_quantize
from deltann.explain.snippets_run import KERAS, OPENVINO, TENSORS

# Between frameworks. TVM's import is of a framework, and has no settings.
BETWEEN = {
    "keras_onnx": f"""
{KERAS}
specs = [keras.InputSpec(dtype=x.dtype.name, shape=x.shape, name=f"input{{{{i:03}}}}")
         for i, x in enumerate(inputs)]
signature = [specs if len(specs) > 1 else specs[0]]
model.export("converted.onnx", format="onnx", input_signature=signature, opset_version={{opset}})
""",
    "keras_savedmodel": f"""
{KERAS}
specs = [keras.InputSpec(dtype=x.dtype.name, shape=x.shape, name=f"input{{{{i:03}}}}")
         for i, x in enumerate(inputs)]
signature = [specs if len(specs) > 1 else specs[0]]
model.export("converted", format="tf_saved_model", input_signature=signature)
""",
    "keras_tflite": f"""
{KERAS}
import tensorflow
taken = [keras.Input(batch_shape=x.shape, dtype=x.dtype.name, name=f"input{{{{i:03}}}}")
         for i, x in enumerate(inputs)]
single = keras.Model(taken, model(taken if len(taken) > 1 else taken[0]))
made = tensorflow.lite.TFLiteConverter.from_keras_model(single).convert()
open("converted.tflite", "wb").write(made)
""",
    "litert_torch": f"""
import litert_torch, torch
program = torch.export.load("model.pt2")
litert_torch.convert(program.module(), {TENSORS}).export("converted.tflite")
""",
    "onnx2keras": """
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import onnx
from onnx2keras import onnx_to_keras
model = onnx.load("model.onnx")
names = [item.name for item in model.graph.input]
converted = onnx_to_keras(model, names, verbose=False, change_ordering=True)
""",
    "onnx2pytorch": """
import onnx
{torchvision}
from onnx2pytorch import ConvertModel
converted = ConvertModel(onnx.load("model.onnx")).eval()
""",
    "onnx2tf": """
import shutil
import onnx2tf
sample = np.random.default_rng(0).random((20, 128, 128, 3), np.float32)
np.save("calibration_image_sample_data_20x128x128x3_float32.npy", sample)  # else it is downloaded
shutil.copy("model.onnx", "copy.onnx")  # the simplified model is written over it
onnx2tf.convert(input_onnx_file_path="copy.onnx", output_folder_path="converted",
                output_signaturedefs=True, keep_shape_absolutely_input_names={kept},
                not_use_onnxsim=not {simplify}, non_verbose=True)
""",
    "onnx2torch": """
{torchvision}
import onnx2torch
converted = onnx2torch.convert("model.onnx").eval()
""",
    "onnx_openvino": OPENVINO.replace("SOURCE", '"model.onnx"'),
    "tensorflow_openvino": OPENVINO.replace("SOURCE", '"model"'),
    "tf2onnx": """
import tensorflow, tf2onnx
serve = tensorflow.saved_model.load("model").signatures["serving_default"]
names = sorted(serve.structured_input_signature[1])
signature = [tensorflow.TensorSpec(x.shape, x.dtype, name) for name, x in zip(names, inputs)]
first = tensorflow.function(lambda *x: [*serve(**dict(zip(names, x))).values()][0], signature)
nchw = [f"{{name}}:0" for name in names] if {channels_first} else None
tf2onnx.convert.from_function(first, signature, opset={opset}, inputs_as_nchw=nchw,
                              output_path="converted.onnx")
""",
    "tflite_converter": """
import tensorflow
made = tensorflow.lite.TFLiteConverter.from_saved_model("model").convert()
open("converted.tflite", "wb").write(made)
""",
    "tflite_onnx": """
import tensorflow, tf2onnx
taken = tensorflow.lite.Interpreter("model.tflite").get_input_details()
nchw = [item["name"] for item in taken] if {channels_first} else None
tf2onnx.convert.from_tflite("model.tflite", opset={opset}, inputs_as_nchw=nchw,
                            output_path="converted.onnx")
""",
    "tflite_openvino": OPENVINO.replace("SOURCE", '"model.tflite"'),
    "torch_onnx": """
import torch
program = torch.export.load("model.pt2")
torch.onnx.export(program, dynamo=True, opset_version={opset}).save("converted.onnx")
""",
    "torch_openvino": OPENVINO.replace("SOURCE", 'torch.export.load("model.pt2")').replace(
        "os, sys", "os, sys, torch"
    ),
    "tvm_onnx": """
import onnx
from tvm.relax.frontend.onnx import from_onnx
converted = from_onnx(onnx.load("model.onnx"), keep_params_in_input=False)
""",
    "tvm_tflite": """
import tflite
from tvm.relax.frontend.tflite import from_tflite
converted = from_tflite(tflite.Model.GetRootAsModel(open("model.tflite", "rb").read(), 0))
""",
    "tvm_torch": """
import torch  # before TVM
from tvm.relax.frontend.torch import from_exported_program
program = torch.export.load("model.pt2")
converted = from_exported_program(program, unwrap_unit_return_tuple=True)
""",
}
CALLS = BETWEEN | snippets_quantize.WITHIN
# With `exporter: torchscript`. It calls train(), which a program's module refuses; a trace doesn't.
TORCHSCRIPT = f"""
import torch
given = {TENSORS}
traced = torch.jit.trace(torch.export.load("model.pt2").module(), given, check_trace=False)
torch.onnx.export(traced, given, "converted.onnx", dynamo=False, opset_version={{opset}}{{kept}})
"""
KEPT = """,
                  training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False"""
TORCHVISION = """
import torch
try:
    import torchvision
except RuntimeError:  # it is for another PyTorch, and its operators aren't needed
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
""".strip()
# What these make is run from memory: a file of it takes more than the tool.
OBJECTS = (
    *("onnx2keras", "onnx2pytorch", "onnx2torch", "torch_int8", "torch_int8_dynamic"),
    *("tvm_onnx", "tvm_tflite", "tvm_torch"),
)
# These make the channels last of a model with channels first.
CHANNELS_LAST = ("onnx2keras", "onnx2tf")
# These make names of layers from names of tensors, and don't take every name.
NUMBERED = ("onnx2keras", "onnx2pytorch")


def importer(framework: str) -> str:
    """The name in `CALLS` of TVM's import of a framework's files."""
    return f"tvm_{framework}"


def text(name: str, settings: dict[str, Any], kept: list[str] | None = None) -> str:
    """The call of a converter.

    Args:
        name: one of `CALLS`.
        settings: those that a config sets.
        kept: for onnx2tf, the inputs whose channels stay where they are.

    Returns:
        Lines of Python.
    """
    if name in converters.names():
        settings = {key: item.default for key, item in converters.settings(name).items()} | settings
    if name == "torch_onnx" and settings["exporter"] == "torchscript":
        more = KEPT if settings["batch_norms"] == "kept" else ""
        return TORCHSCRIPT.format(opset=settings["opset"], kept=more).strip()
    fields = settings | snippets_quantize.fields(name, settings)
    return CALLS[name].format(**fields, kept=kept, torchvision=TORCHVISION).strip()
