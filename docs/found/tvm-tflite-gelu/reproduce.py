"""TVM's TFLite importer ignores GELU's approximate. Needs apache-tvm, tflite; ai-edge-litert, too.

model.tflite is tf.nn.gelu(image, approximate=True) of TensorFlow 2.21, by its own converter.
"""

import math
from pathlib import Path

import numpy as np
import tflite
import tvm
from tvm.relax.frontend.tflite import from_tflite

path = Path(__file__).with_name("model.tflite")
image = np.array([[-2, -0.5, 1, 2.3]], np.float32)
module = from_tflite(tflite.Model.GetRootAsModel(path.read_bytes(), 0))
machine = tvm.relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
converted = machine["main"](tvm.runtime.tensor(image)).numpy().ravel()
x = image.astype(np.float64).ravel()
tanh = 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
exact = np.array([0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x])
print("TVM                   ", converted.round(6))
try:
    from ai_edge_litert.interpreter import Interpreter

    runtime = Interpreter(model_path=str(path))
    runtime.allocate_tensors()
    runtime.set_tensor(runtime.get_input_details()[0]["index"], image)
    runtime.invoke()
    answer = runtime.get_tensor(runtime.get_output_details()[0]["index"])
    print("LiteRT                ", answer.ravel().round(6))
except ImportError:
    print("LiteRT                 isn't installed")
print("NumPy, with tanh      ", tanh.round(6))
print("NumPy, not approximate", exact.round(6))
print("wrong" if np.abs(converted - tanh).max() > 1e-5 else "right")
