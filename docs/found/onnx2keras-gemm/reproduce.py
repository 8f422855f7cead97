"""onnx2keras reads neither alpha nor beta of Gemm. Needs onnx and onnx2keras."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx2keras import onnx_to_keras

weight = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
bias = np.array([10, 20], np.float32)
node = helper.make_node("Gemm", ["image", "weight", "bias"], ["answer"], alpha=0.5, beta=2.0)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2))
constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
graph = helper.make_graph([node], "gemm", [given], [answer], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.array([[1, 1, 1]], np.float32)
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
converted = onnx_to_keras(model, ["image"], verbose=False).predict(image, verbose=0)
print("onnx2keras    ", converted.ravel())
print("onnx.reference", reference.ravel())
print("NumPy         ", (0.5 * image @ weight + 2 * bias).ravel())
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
