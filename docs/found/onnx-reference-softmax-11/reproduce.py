"""onnx.reference gives Softmax before opset 13 another meaning. Needs onnx and onnxruntime."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

node = helper.make_node("Softmax", ["image"], ["answer"], axis=1)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 2, 2, 2))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 2, 2))
graph = helper.make_graph([node], "softmax", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)

image = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
given = ReferenceEvaluator(model).run(None, {"image": image})[0]
session = onnxruntime.InferenceSession(model.SerializeToString())
runtime = session.run(None, {"image": image})[0]
# Softmax-11: over all axes from `axis` on, as one
powers = np.exp(image.ravel() - image.max())
expected = powers / powers.sum()
print("onnx.reference", given.ravel().round(4))
print("ONNX Runtime  ", runtime.ravel().round(4))
print("NumPy         ", expected.round(4))
print("wrong" if np.abs(given.ravel() - expected).max() > 1e-4 else "right")
