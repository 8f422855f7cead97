"""onnx2keras reads no auto_pad of Conv. Needs onnx and onnx2keras."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx2keras import onnx_to_keras

weight = numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "weight")
attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}
node = helper.make_node("Conv", ["image", "weight"], ["answer"], **attributes)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 6, 6))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 1, 3, 3))
graph = helper.make_graph([node], "conv", [given], [answer], [weight])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.arange(36, dtype=np.float32).reshape(1, 1, 6, 6)
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
keras = onnx_to_keras(model, ["image"], verbose=False, change_ordering=True)
converted = keras.predict(image.transpose(0, 2, 3, 1), verbose=0).transpose(0, 3, 1, 2)
padded = np.pad(image[0, 0], [(0, 1), (0, 1)])
expected = [[padded[y : y + 3, x : x + 3].sum() for x in (0, 2, 4)] for y in (0, 2, 4)]
print("onnx2keras    ", converted.shape, converted.ravel())
print("onnx.reference", reference.shape, reference.ravel())
print("NumPy         ", np.ravel(expected))
print("wrong" if converted.shape != reference.shape else "right")
