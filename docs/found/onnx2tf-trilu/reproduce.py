"""onnx2tf applies Trilu to the axes that it has moved. Needs onnx, onnxruntime and onnx2tf."""

import os
import tempfile

import numpy as np
import onnx
import onnx2tf
import tensorflow
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

node = helper.make_node("Trilu", ["image"], ["answer"], upper=1)
given = helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 2, 3, 4))
answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, (1, 2, 3, 4))
graph = helper.make_graph([node], "trilu", [given], [answer])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)

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
print("onnx2tf       ", converted.ravel().astype(int))
print("onnx.reference", reference.ravel().astype(int))
print("NumPy         ", np.triu(image).ravel().astype(int))
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
