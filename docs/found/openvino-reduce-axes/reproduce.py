"""OpenVINO ignores the axes of ReduceL1 before opset 18. Needs onnx and openvino."""

import numpy as np
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

node = helper.make_node("ReduceL1", ["image"], ["answer"], axes=[3], keepdims=0)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 2, 2, 3))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 2))
graph = helper.make_graph([node], "reduce", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
read = openvino.Core().read_model(model.SerializeToString())
converted = openvino.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image)[0]
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
print("OpenVINO      ", converted.shape, converted.ravel())
print("onnx.reference", reference.shape, reference.ravel())
print("NumPy         ", np.abs(image).sum(3).ravel())
print("wrong" if converted.shape != reference.shape else "right")
