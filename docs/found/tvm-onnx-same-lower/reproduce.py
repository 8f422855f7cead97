"""TVM's ONNX importer gives MaxPool with SAME_LOWER another shape. Needs onnx and apache-tvm."""

import numpy as np
import tvm
from onnx import TensorProto, helper
from tvm.relax.frontend.onnx import from_onnx

attributes = {"kernel_shape": [2, 2], "strides": [3, 3], "auto_pad": "SAME_LOWER"}
node = helper.make_node("MaxPool", ["image"], ["answer"], **attributes)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 7, 7))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)
graph = helper.make_graph([node], "pool", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.arange(49, dtype=np.float32).reshape(1, 1, 7, 7)
machine = tvm.relax.VirtualMachine(tvm.compile(from_onnx(model), target="llvm"), tvm.cpu())
converted = machine["main"](tvm.runtime.tensor(image)).numpy()
# the specification: ceil(7 / 3) = 3 windows, (3 - 1) * 3 + 2 - 7 = 1 row of padding, before
padded = np.pad(image[0, 0], [(1, 0), (1, 0)], constant_values=-np.inf)
rows = range(0, 7, 3)
reference = np.array([[padded[y : y + 2, x : x + 2].max() for x in rows] for y in rows])
print("TVM  ", converted.shape, converted.ravel())
print("NumPy", reference.shape, reference.ravel())
same = converted.size == reference.size and np.allclose(converted.ravel(), reference.ravel())
print("right" if same else "wrong")
