"""tf2onnx drops the bias of a TFLite FULLY_CONNECTED whose input isn't a matrix.

Needs tensorflow, tf2onnx and onnx.
"""

import tempfile
from pathlib import Path

import numpy as np
import tensorflow
import tf2onnx
from onnx.reference import ReferenceEvaluator

weight = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
bias = np.array([10, 20], np.float32)
image = np.array([[[[1, 1, 1]]]], np.float32)


def dense(image):
    return tensorflow.matmul(tensorflow.reshape(image, (1, 3)), weight) + bias


# TensorFlow's converter drops the Reshape: its FULLY_CONNECTED takes (1, 1, 1, 3)
signature = [tensorflow.TensorSpec(image.shape, tensorflow.float32, "image")]
function = tensorflow.function(dense, input_signature=signature).get_concrete_function()
content = tensorflow.lite.TFLiteConverter.from_concrete_functions([function]).convert()
path = Path(tempfile.mkdtemp()) / "model.tflite"
path.write_bytes(content)
runtime = tensorflow.lite.Interpreter(model_content=content)
runtime.allocate_tensors()
runtime.set_tensor(runtime.get_input_details()[0]["index"], image)
runtime.invoke()
lite = runtime.get_tensor(runtime.get_output_details()[0]["index"])
converted, _ = tf2onnx.convert.from_tflite(str(path), opset=18)
answer = ReferenceEvaluator(converted).run(None, {"image": image})[0]
reference = image.reshape(1, 3) @ weight + bias
print("operators", [node.op_type for node in converted.graph.node])
print("tf2onnx  ", answer.ravel())
print("TFLite   ", lite.ravel())
print("NumPy    ", reference.ravel())
print("wrong" if np.abs(answer - reference).max() > 1e-4 else "right")
