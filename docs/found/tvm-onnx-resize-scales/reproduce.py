"""TVM's ONNX importer recomputes Resize's scales from rounded sizes. Needs onnx and apache-tvm."""

import numpy as np
import tvm
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from tvm.relax.frontend.onnx import from_onnx

scales = numpy_helper.from_array(np.array([1, 1, 1, 1.75], np.float32), "scales")
attributes = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
node = helper.make_node("Resize", ["image", "", "scales"], ["answer"], **attributes)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 1, 1, 5))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 1, 1, 8))
graph = helper.make_graph([node], "resize", [given], [answer], [scales])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)

image = np.arange(5, dtype=np.float32).reshape(1, 1, 1, 5)
module = from_onnx(model)
module = tvm.relax.transform.DecomposeOpsForInference()(module)
machine = tvm.relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
converted = machine["main"](tvm.runtime.tensor(image)).numpy()
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
# the specification: floor(5 * 1.75) = 8 numbers, at place / 1.75
numpy = np.interp(np.arange(8) / 1.75, np.arange(5), image.ravel())
print("TVM           ", converted.ravel().round(3))
print("onnx.reference", reference.ravel().round(3))
print("NumPy         ", numpy.round(3))
print("wrong" if np.abs(converted.ravel() - numpy).max() > 1e-4 else "right")
