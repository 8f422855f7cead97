"""How the script of an example runs a file: with nothing but the runtime itself."""

# Files as the tools take them: a SavedModel is a folder, an IR two files in one.
NAMES = {
    "onnx": "{}.onnx",
    "tflite": "{}.tflite",
    "tensorflow": "{}",
    "keras": "{}.keras",
    "torch": "{}.pt2",
    "openvino": "{}/model.xml",
}
# The frameworks whose files an environment can run by their own runtimes. ONNX's reference isn't
# one: it has faults of its own.
RUNTIMES = {
    "litert_torch": ("tflite", "torch"),
    "onnx": ("onnx",),
    "onnx2pytorch": ("torch",),
    "onnx2tf": ("onnx", "tensorflow", "tflite"),
    "onnx2torch": ("torch",),
    "openvino": ("openvino", "torch"),
    "tensorflow": ("keras", "tensorflow", "tflite"),
    "tflite": ("tflite",),
    "torch": ("torch",),
    "tvm": ("torch", "tvm"),
}
# How a file that a converter made is run where ONNX Runtime isn't installed.
OR_REFERENCE = """
def run_onnx(path, inputs):
    global by
    try:
        import onnxruntime
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
        by = "by ONNX Runtime"
    except ImportError:
        from onnx.reference import ReferenceEvaluator
        session = ReferenceEvaluator(path)
        names = session.input_names
        by = "by onnx.reference; install onnxruntime for its own answer"
    return session.run(None, dict(zip(names, inputs)))[0]
"""
# Parts of calls: Keras's file, the arrays as PyTorch takes them, and OpenVINO's converter.
KERAS = """
import keras
model = keras.models.load_model("model.keras", compile=False)
""".strip()
TENSORS = "tuple(map(torch.from_numpy, inputs))"
OPENVINO = """
import os, sys
sys.modules.setdefault("openvino_telemetry", None)  # nothing is sent to Google Analytics
import openvino
made = openvino.convert_model(SOURCE)
os.makedirs("converted", exist_ok=True)
openvino.save_model(made, "converted/model.xml", compress_to_fp16={compress_to_fp16})
"""
# By framework: a function that runs a file, or what a converter leaves in memory, on the given
# arrays and returns the first output.
RUN = {
    "onnx": """
def run_onnx(path, inputs):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(float16)": np.float16}
    given = {item.name: x.astype(kinds.get(item.type, x.dtype))
             for item, x in zip(session.get_inputs(), inputs)}
    return session.run(None, given)[0]
""",
    "tflite": """
def run_tflite(path, inputs):
    try:
        from ai_edge_litert import interpreter as lite
    except ImportError:
        from tensorflow import lite
    interpreter = lite.Interpreter(path)
    interpreter.allocate_tensors()
    for taken, given in zip(interpreter.get_input_details(), inputs):
        scale, zero = taken["quantization"]
        if scale and given.dtype == np.float32:  # the model takes whole numbers
            limits = np.iinfo(taken["dtype"])
            given = np.round(given / scale + zero).clip(limits.min, limits.max)
        interpreter.set_tensor(taken["index"], given.astype(taken["dtype"]))
    interpreter.invoke()
    output = interpreter.get_output_details()[0]
    scale, zero = output["quantization"]
    answer = interpreter.get_tensor(output["index"])
    return (answer.astype(np.float32) - zero) * np.float32(scale) if scale else answer
""",
    "tensorflow": """
def run_tensorflow(path, inputs):
    import tensorflow
    model = tensorflow.saved_model.load(path)
    serve = model.signatures["serving_default"]
    names = sorted(serve.structured_input_signature[1])
    answers = serve(**{k: tensorflow.constant(v) for k, v in zip(names, inputs)})
    return next(iter(answers.values())).numpy()
""",
    "keras": """
def run_keras(model, inputs):
    import os
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    if isinstance(model, str):
        model = keras.models.load_model(model, compile=False)
    answer = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return (answer[0] if isinstance(answer, (list, tuple)) else answer).numpy()
""",
    "torch": """
def run_torch(module, inputs):
    import torch
    if isinstance(module, str):
        import torch.ao.quantization.fx._decomposed  # operators of quantized programs
        module = torch.export.load(module).module()
    answer = module(*map(torch.from_numpy, inputs))
    return (answer[0] if isinstance(answer, (list, tuple)) else answer).detach().numpy()
""",
    "openvino": """
def run_openvino(path, inputs):
    import sys
    sys.modules.setdefault("openvino_telemetry", None)  # nothing is sent to Google Analytics
    import openvino
    model = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return model(inputs)[0]
""",
    "tvm": """
def run_tvm(module, inputs):
    import tvm
    from tvm.relax import transform
    from tvm.relax.backend.cpu_generic import pipeline
    passes = [transform.DecomposeOpsForInference(), transform.LegalizeOps(),  # what it can't do
              *pipeline.dataflow_lower_passes(None), *pipeline.finalize_passes(None)]  # without
    built = tvm.compile(module, "llvm", relax_pipeline=tvm.transform.Sequential(passes))
    machine = tvm.relax.VirtualMachine(built, tvm.cpu())
    answer = machine["main"](*map(tvm.runtime.tensor, inputs))
    return (answer if hasattr(answer, "numpy") else answer[0]).numpy()
""",
}


def functions(source: str, target: str) -> str:
    """The functions that run files of both frameworks."""
    made = RUN | {"onnx": OR_REFERENCE} if source != "onnx" else RUN
    return RUN[source] + (made[target] if target != source else "")
