"""onnx2tf ignores nearest_mode of Resize. Needs onnx, onnxruntime and onnx2tf."""

import os
import tempfile

import numpy as np
import onnx
import onnx2tf
import tensorflow
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

scales = numpy_helper.from_array(np.array([1, 1, 1, 2], np.float32), "scales")
attributes = {
    "mode": "nearest",
    "nearest_mode": "ceil",
    "coordinate_transformation_mode": "asymmetric",
}
node = helper.make_node("Resize", ["image", "", "scales"], ["answer"], **attributes)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 2, 3, 4))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 3, 8))
graph = helper.make_graph([node], "resize", [given], [answer], [scales])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

image = np.arange(1, 25, dtype=np.float32).reshape(1, 2, 3, 4)
os.chdir(tempfile.mkdtemp())
# without this file onnx2tf downloads one
np.save("calibration_image_sample_data_20x128x128x3_float32.npy", np.ones((20, 128, 128, 3), "f"))
onnx.save(model, "model.onnx")
onnx2tf.convert("model.onnx", None, "saved", output_signaturedefs=True, non_verbose=True)
function = tensorflow.saved_model.load("saved").signatures["serving_default"]
moved = tensorflow.constant(image.transpose(0, 2, 3, 1))
converted = next(iter(function(image=moved).values())).numpy().transpose(0, 3, 1, 2)
reference = ReferenceEvaluator(model).run(None, {"image": image})[0]
# the specification: the number at ceil(place / 2), or the last one
numpy = image[..., np.minimum(np.ceil(np.arange(8) / 2).astype(int), 3)]
print("onnx2tf       ", converted[0, 0, 0].astype(int))
print("onnx.reference", reference[0, 0, 0].astype(int))
print("NumPy         ", numpy[0, 0, 0].astype(int))
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
