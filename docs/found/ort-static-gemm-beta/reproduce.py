"""ONNX Runtime's quantizer divides the bias of Gemm by beta. Needs onnx, onnxruntime and sympy."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime import quantization

weight = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
bias = np.array([10, 20], np.float32)
node = helper.make_node("Gemm", ["image", "weight", "bias"], ["answer"], beta=2.0)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2))
constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
graph = helper.make_graph([node], "gemm", [given], [answer], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.array([[1, 1, 1]], np.float32)


class Images(quantization.CalibrationDataReader):
    images = iter([{"image": image}, {"image": 0 * image}])

    def get_next(self):
        return next(self.images, None)


folder = Path(tempfile.mkdtemp())
onnx.save(model, folder / "model.onnx")
quantization.quantize_static(folder / "model.onnx", folder / "int8.onnx", Images())
quantized = onnxruntime.InferenceSession(folder / "int8.onnx").run(None, {"image": image})[0]
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
print("quantized     ", quantized.ravel())
print("onnx.reference", reference.ravel())
print("NumPy         ", (image @ weight + 2 * bias).ravel())
print("wrong" if np.abs(quantized - reference).max() > 1 else "right")
