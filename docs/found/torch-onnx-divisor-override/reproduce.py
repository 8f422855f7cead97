"""torch.onnx drops AvgPool2d's divisor_override. Needs torch, onnx and onnxscript."""

import numpy as np
import torch
from onnx.reference import ReferenceEvaluator

image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
model = torch.nn.AvgPool2d(2, divisor_override=3).eval()
with torch.no_grad():
    source = model(torch.from_numpy(image)).numpy()
program = torch.onnx.export(model, (torch.from_numpy(image),), dynamo=True, verbose=False)
session = ReferenceEvaluator(program.model_proto)
converted = session.run(None, {session.input_names[0]: image})[0]
# the definition: the sum of each window, divided by 3
reference = image.reshape(1, 1, 2, 2, 2, 2).sum((3, 5)) / 3
print("PyTorch   ", source.ravel())
print("torch.onnx", converted.ravel())
print("NumPy     ", reference.ravel())
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
