"""OpenVINO gives MaxPool with ceil_mode a window too many. Needs onnx and openvino."""

import numpy as np
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1], "ceil_mode": 1}
node = helper.make_node("MaxPool", ["image"], ["answer"], **attributes)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 4, 4))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)
graph = helper.make_graph([node], "pool", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = -np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
read = openvino.Core().read_model(model.SerializeToString())
converted = openvino.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image)[0]
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
# the specification: a window that starts in the padding at the end is left out
print("OpenVINO      ", converted.shape, converted.ravel())
print("onnx.reference", reference.shape, reference.ravel())
print("NumPy         ", image.reshape(2, 2, 2, 2).max((1, 3)).ravel())
print("wrong" if converted.shape != reference.shape else "right")
