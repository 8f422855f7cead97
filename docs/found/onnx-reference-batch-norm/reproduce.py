"""onnx.reference mixes in the statistics of the batch before opset 14. Needs onnx, onnxruntime."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

values = {"scale": 1.0, "shift": 0.0, "mean": 0.0, "variance": 4.0}
node = helper.make_node("BatchNormalization", ["image", *values], ["answer"], epsilon=0.0)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 1, 4))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 1, 1, 4))
constants = [numpy_helper.from_array(np.array([v], np.float32), k) for k, v in values.items()]
graph = helper.make_graph([node], "norm", [given], [answer], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.array([10, 20, 30, 40], np.float32).reshape(1, 1, 1, 4)
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
session = onnxruntime.InferenceSession(model.SerializeToString())
runtime = session.run(None, {"image": image})[0]
print("onnx.reference", reference.ravel())
print("ONNX Runtime  ", runtime.ravel())
print("NumPy         ", (image / 2).ravel())
print("wrong" if np.abs(reference - image / 2).max() > 1e-4 else "right")
