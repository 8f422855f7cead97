"""tf2onnx writes an operator that ONNX doesn't have for a grouped convolution of Keras.

Needs keras, tensorflow, tf2onnx and onnx.
"""

import keras
import numpy as np
import onnx
import tensorflow
import tf2onnx
from onnx.reference import ReferenceEvaluator

layer = keras.layers.Conv2D(2, 1, groups=2, use_bias=False)
model = keras.Sequential([keras.Input((2, 2, 2), batch_size=1), layer])
layer.set_weights([np.array([2, 3], np.float32).reshape(1, 1, 1, 2)])
image = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
signature = [tensorflow.TensorSpec(image.shape, tensorflow.float32, "image")]
function = tensorflow.function(lambda image: model(image), input_signature=signature)
converted, _ = tf2onnx.convert.from_function(function, signature, opset=18)
print("operators  ", sorted({node.op_type for node in converted.graph.node}))
print("Keras      ", np.asarray(model(image)).ravel())
print("NumPy      ", (image * [2, 3]).ravel())
try:
    onnx.checker.check_model(converted)
    print("tf2onnx    ", ReferenceEvaluator(converted).run(None, {"image": image})[0].ravel())
    print("right")
except Exception as error:
    print("onnx       ", type(error).__name__, str(error).splitlines()[0])
    print("wrong")
