"""What `deltann.tvm.precision` says of small modules of which it is known.

Run in TVM's environment: `tvm_precision.py`. It prints as JSON, by the name of the module, the
number of its operators by their precision; in lists, as built and after all passes of the highest
level, in which constants are folded and convolutions are packed.
"""

import json
from collections.abc import Callable

import numpy as np
import tvm
from tvm import relax
from tvm.relax import op

from deltann.tvm import levels, precision, target_kinds

RANDOM = np.random.default_rng(0)
SIDES = 1, 8, 12, 12


def built(body: Callable, kind: str = "float32") -> tvm.IRModule:
    """A module whose `main` applies operators to an image of a type."""
    builder = relax.BlockBuilder()
    image = relax.Var("image", relax.TensorType(SIDES, kind))
    with builder.function("main", [image]):
        with builder.dataflow():
            answer = builder.emit_output(body(builder, image))
        builder.emit_func_output(answer)
    return builder.finalize()


def weights(kind: str, *sides: int):
    """Constant weights of a type."""
    if "int" in kind:
        return relax.const(RANDOM.integers(-127, 128, sides).astype(kind))
    return relax.const(RANDOM.standard_normal(sides).astype(kind))


def scales(count: int):
    """Constant scales of channels."""
    return relax.const(RANDOM.uniform(0.01, 0.02, count).astype("float32"))


def rounded(builder, data, kind: str, scale=None):
    """A tensor rounded to whole numbers, and back."""
    scale = relax.const(0.05, "float32") if scale is None else scale
    zero = relax.const(3, kind)
    data = builder.emit(op.quantize(data, scale, zero, out_dtype=kind))
    return builder.emit(op.dequantize(data, scale, zero))


def stored(builder, kind: str, *sides: int):
    """Weights that the file has in 8 or 16 bits, as float32."""
    if "float" in kind:
        return builder.emit(op.astype(weights(kind, *sides), "float32"))
    scale, zero = scales(sides[0]), relax.const(0, kind)
    return builder.emit(op.dequantize(weights(kind, *sides), scale, zero, axis=0))


def plain(kind: str) -> tvm.IRModule:
    """A convolution and a depthwise one, and a product of matrices, of one type."""

    def body(builder, data):
        data = builder.emit(op.nn.conv2d(data, weights(kind, 16, 8, 3, 3), padding=1))
        data = builder.emit(op.nn.relu(data))
        data = builder.emit(op.nn.conv2d(data, weights(kind, 16, 1, 3, 3), padding=1, groups=16))
        data = builder.emit(op.reshape(op.mean(data, [2, 3]), (1, 16)))
        return op.matmul(data, weights(kind, 16, 10))

    return built(body, kind)


def quantized(activations: str, kept: str) -> tvm.IRModule:
    """Two convolutions whose operands are stored in few bits, with a max pool between."""

    def body(builder, data):
        data = rounded(builder, data, activations) if activations != "float32" else data
        data = builder.emit(op.nn.conv2d(data, stored(builder, kept, 16, 8, 3, 3)))
        data = rounded(builder, data, activations) if activations != "float32" else data
        data = builder.emit(op.nn.max_pool2d(data, (2, 2), (2, 2)))
        return op.nn.conv2d(data, stored(builder, kept, 24, 16, 1, 1))

    return built(body)


def dynamic() -> tvm.IRModule:
    """A convolution of an image that is quantized by its own largest number."""

    def body(builder, data):
        scale = builder.emit(op.divide(op.max(op.abs(data)), relax.const(127.0, "float32")))
        data = rounded(builder, data, "int8", scale)
        return op.nn.conv2d(data, stored(builder, "int8", 16, 8, 3, 3))

    return built(body)


def turned() -> tvm.IRModule:
    """Operands that are moved between their rounding and the operator, and a weight on the left."""

    def body(builder, data):
        data = rounded(builder, data, "uint8")
        data = builder.emit(op.permute_dims(data, [0, 2, 3, 1]))
        data = builder.emit(op.nn.pad(data, [0, 0, 1, 1, 1, 1, 0, 0]))
        weight = builder.emit(op.permute_dims(stored(builder, "int8", 16, 8, 3, 3), [2, 3, 1, 0]))
        data = builder.emit(
            op.nn.conv2d(data, weight, data_layout="NHWC", kernel_layout="HWIO", groups=1)
        )
        data = builder.emit(op.reshape(data, (144, 16)))
        return op.matmul(stored(builder, "float16", 10, 144), data)

    return built(body)


def other_operators() -> tvm.IRModule:
    """Convolutions that aren't packed: of one axis, transposed and with groups."""

    def body(builder, data):
        data = builder.emit(op.nn.conv2d(data, weights("float32", 8, 4, 3, 3), groups=2))
        data = builder.emit(op.nn.conv2d_transpose(data, weights("float32", 8, 8, 2, 2)))
        data = builder.emit(op.reshape(data, (1, 8, 121)))
        return op.nn.conv1d(data, weights("float32", 8, 8, 3))

    return built(body)


def after_passes(module: tvm.IRModule, *more: str) -> dict[str, int]:
    """The precisions after the passes of the highest level, and of `more`, on this processor.

    Without `CombineParallelMatmul`: that of TVM 0.27 fails on a product whose first operand is a
    constant.
    """
    passes = [name for name in (*levels.PASSES, *more) if name != "CombineParallelMatmul"]
    kind, found = target_kinds.get("llvm"), []
    target = tvm.target.Target(kind.resolve({"kind": "llvm", "mcpu": "host"}))
    steps = levels.kernel_pipeline(passes, kind, target, own_kernels=True)
    kinds = precision.stored(module)
    with target, tvm.transform.PassContext(opt_level=3):
        levels.run(steps, module, passes, lambda m: found.append(precision.operators(m, kinds)))
    (operators,) = found
    return operators


def main() -> None:
    """Print the precisions of each module."""
    modules = {kind: plain(kind) for kind in ("float32", "float16")}
    modules |= {f"{kind}-weights": quantized("float32", kind) for kind in ("int8", "float16")}
    modules |= {"int8": quantized("uint8", "int8"), "int16x8": quantized("int16", "int8")}
    modules |= {"dynamic": dynamic(), "turned": turned(), "other": other_operators()}
    found = {
        name: [precision.operators(module), after_passes(module)]
        for name, module in modules.items()
    }
    lowered = after_passes(modules["float32"], levels.LOWERING)
    print(json.dumps(found | {"lowered": [precision.operators(modules["float32"]), lowered]}))


if __name__ == "__main__":
    main()
