"""OpenVINO gives Softmax before opset 13 another meaning. Needs onnx and openvino."""

import numpy as np
import openvino
from onnx import TensorProto, helper

node = helper.make_node("Softmax", ["image"], ["answer"], axis=1)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 2, 2, 2))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 2, 2))
graph = helper.make_graph([node], "softmax", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=7)

image = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
read = openvino.Core().read_model(model.SerializeToString())
converted = openvino.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image)[0]
# Softmax-11: over all axes from `axis` on, as one
powers = np.exp(image.ravel() - image.max())
reference = powers / powers.sum()
print("OpenVINO", converted.ravel().round(4))
print("NumPy   ", reference.round(4))
print("wrong" if np.abs(converted.ravel() - reference).max() > 1e-4 else "right")
