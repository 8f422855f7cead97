"""Parts of the script that reproduces a fault with nothing but the tools themselves."""

# By framework: a function that runs a file on the given arrays and returns the first output.
RUN = {
    "onnx": """
def run_onnx(path, inputs):
    try:
        import onnxruntime
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
    except ImportError:  # the reference, where ONNX Runtime isn't installed
        from onnx.reference import ReferenceEvaluator
        session = ReferenceEvaluator(path)
        names = session.input_names
    return session.run(None, dict(zip(names, inputs)))[0]
""",
    "tflite": """
def run_tflite(path, inputs):
    try:
        from ai_edge_litert import interpreter as lite
    except ImportError:
        from tensorflow import lite
    interpreter = lite.Interpreter(path)
    interpreter.allocate_tensors()
    for described, given in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(described["index"], given)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
""",
    "tensorflow": """
def run_tensorflow(path, inputs):
    import tensorflow
    serve = tensorflow.saved_model.load(path).signatures["serving_default"]
    names = list(serve.structured_input_signature[1])
    answers = serve(**{k: tensorflow.constant(v) for k, v in zip(names, inputs)})
    return next(iter(answers.values())).numpy()
""",
    "keras": """
def run_keras(path, inputs):
    import keras
    return keras.models.load_model(path, compile=False)(inputs[0]).numpy()
""",
    "torch": """
def run_torch(path, inputs):
    import torch
    return torch.export.load(path).module()(*map(torch.from_numpy, inputs)).detach().numpy()
""",
}
# Files as the tools take them: a SavedModel is a folder.
NAMES = {
    "onnx": "{}.onnx",
    "tflite": "{}.tflite",
    "tensorflow": "{}",
    "keras": "{}.keras",
    "torch": "{}.pt2",
}
# By converter: its call on `model` of its source, which writes `converted`. {settings} has those
# of the edge that the call takes by the same names. Others' files are taken as they are.
CONVERT = {
    "onnx2tf": """
import onnx2tf
sample = np.random.default_rng(0).random((20, 128, 128, 3), np.float32)
np.save("calibration_image_sample_data_20x128x128x3_float32.npy", sample)  # else it is downloaded
onnx2tf.convert(input_onnx_file_path="model.onnx", output_folder_path="converted",
                output_signaturedefs=True, non_verbose=True)
""",
    "tflite_onnx": """
import tf2onnx
tf2onnx.convert.from_tflite("model.tflite", opset={opset}, output_path="converted.onnx")
""",
    "tflite_converter": """
import tensorflow
made = tensorflow.lite.TFLiteConverter.from_saved_model("model").convert()
open("converted.tflite", "wb").write(made)
""",
    "torch_onnx": """
import torch
program = torch.export.load("model.pt2")
torch.onnx.export(program, dynamo=True, opset_version={opset}).save("converted.onnx")
""",
}
DEFAULTS = {"opset": 18}
SCRIPT = '''"""{what}

Run it in this folder, where numpy and the tools are installed: {tools}.
"""
import glob
import numpy as np
{run}
inputs = [np.load(path) for path in sorted(glob.glob("input*.npy"))]
before = run_{source}("{model}", inputs)
{convert}
given = {given}
after = run_{target}("{converted}", given)
{moved}
print("before:", before.ravel()[:8])
print("after: ", after.ravel()[:8])
{reference}
if before.size == after.size:
    print("largest difference:", np.abs(before.ravel() - after.ravel()).max())
'''
# What a model takes whose channels are last, and its answer with the channels first again.
CHANNELS_LAST = "[np.moveaxis(x, 1, -1) if x.ndim == 4 else x for x in inputs]"
CHANNELS_FIRST = "[np.moveaxis(x, -1, 1) if x.ndim == 4 else x for x in inputs]"
REFERENCE = """
from onnx.reference import ReferenceEvaluator
reference = ReferenceEvaluator("{model}")
answer = reference.run(None, dict(zip(reference.input_names, inputs)))[0]
print("onnx's reference:", answer.ravel()[:8])
"""
# A dense layer by numpy: `dense.npz` has what the operator reads and its constants.
DENSE = """
dense = np.load("dense.npz")
print("numpy, the suspect alone:", (dense["x"] @ dense["weight"].T + dense["bias"]).ravel()[:8])
"""
