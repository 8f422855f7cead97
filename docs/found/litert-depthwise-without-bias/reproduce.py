"""LiteRT crashes on a DEPTHWISE_CONV_2D without bias.

Needs ai-edge-litert or tensorflow, and flatbuffers.

Each kind of kernels runs in a process of its own, as two of them end it.
"""

import signal
import subprocess
import sys

import flatbuffers
import numpy as np

try:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.interpreter import Interpreter, OpResolverType


def model():
    """3 x 3 ones over an image (1, 4, 4, 1), SAME, with two inputs: the bias is optional."""
    tensors = [
        schema.TensorT(shape=[1, 4, 4, 1], name="image"),
        schema.TensorT(shape=[1, 3, 3, 1], buffer=1, name="weight"),
        schema.TensorT(shape=[1, 4, 4, 1], name="answer"),
    ]
    options = schema.DepthwiseConv2DOptionsT(
        padding=schema.Padding.SAME, strideW=1, strideH=1, depthMultiplier=1
    )
    layer = schema.OperatorT(
        inputs=[0, 1],
        outputs=[2],
        builtinOptionsType=schema.BuiltinOptions.DepthwiseConv2DOptions,
        builtinOptions=options,
    )
    kind = schema.BuiltinOperator.DEPTHWISE_CONV_2D
    given = schema.ModelT(
        version=3,
        operatorCodes=[schema.OperatorCodeT(kind, version=1, builtinCode=kind)],
        subgraphs=[schema.SubGraphT(tensors, inputs=[0], outputs=[2], operators=[layer])],
        buffers=[schema.BufferT(), schema.BufferT(np.ones(9, np.float32).view(np.uint8))],
    )
    builder = flatbuffers.Builder()
    builder.Finish(given.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(kernels):
    runtime = Interpreter(
        model_content=model(), experimental_op_resolver_type=OpResolverType[kernels]
    )
    runtime.allocate_tensors()
    runtime.set_tensor(0, np.ones((1, 4, 4, 1), np.float32))
    runtime.invoke()
    print(runtime.get_tensor(2)[0, :2, :, 0].ravel())


if sys.argv[1:]:
    run(sys.argv[1])
    sys.exit()
crashed = False
for kernels in ("AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"):
    child = subprocess.run(
        [sys.executable, __file__, kernels], capture_output=True, text=True, check=False
    )
    code = child.returncode
    crashed = crashed or code < 0
    answer = child.stdout.strip() if code >= 0 else f"ended by {signal.Signals(-code).name}"
    print(f"{kernels:33}", answer or child.stderr)
padded = np.pad(np.ones((4, 4)), 1)
windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
print(f"{'NumPy':33}", windows.sum((2, 3))[:2].ravel())
print("wrong" if crashed else "right")
