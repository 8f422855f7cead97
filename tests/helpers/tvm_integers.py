"""Small quantized (QDQ) networks, compiled for processors with AVX512-VNNI and without.

Run in TVM's environment: `tvm_integers.py`. It prints as JSON, by network and by target and level,
the largest difference to ONNX's reference implementation in steps of the result, the share of
results that differ, the kernels that compute in whole numbers, the precision of the operators, and
whether the scheduled kernels call the instruction. The differences are None where this processor
lacks it.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from deltann.tvm.load import load_tvm

INSTRUCTION = "llvm.x86.avx512.vpdpbusd.512"
TARGETS = (("x86-64-v3", "O4"), ("cascadelake", "O4"), ("cascadelake", "O0"))
SIDE = 13
TYPES = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8}


class Network:
    """An ONNX graph of float32 operators between QuantizeLinear and DequantizeLinear.

    Args:
        channels: of its input, an image of `SIDE` pixels.
        kind: the type of its activations.
    """

    def __init__(self, channels: int, kind: str = "uint8") -> None:
        self.nodes: list = []
        self.constants: list = []
        self.kind, self.random = kind, np.random.default_rng(0)
        self.shape = [1, channels, SIDE, SIDE]
        self.scale = 1.0

    def constant(self, array: np.ndarray) -> str:
        """The name of a new constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """The name of a new operator's result."""
        name = f"result_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def quantized(self, data: str, scale: float, zero: int = 117) -> str:
        """A tensor rounded to 8 bits; `zero` is as of uint8."""
        zero = zero - 128 if self.kind == "int8" else zero
        step, offset = np.float32(scale), np.array(zero, self.kind)
        parameters = self.constant(np.array(step)), self.constant(offset)
        self.scale = scale
        numbers = self.add("QuantizeLinear", data, *parameters)
        return self.add("DequantizeLinear", numbers, *parameters)

    def weights(self, *shape: int) -> tuple[str, np.ndarray]:
        """Weights of 8 bits with a scale for each place of the first axis, and the scales."""
        numbers = self.random.integers(-127, 128, shape).astype(np.int8)
        scales = self.random.uniform(1e-3, 4e-3, shape[0]).astype(np.float32)
        zeros = self.constant(np.zeros(shape[0], np.int8))
        name = self.constant(numbers), self.constant(scales), zeros
        return self.add("DequantizeLinear", *name, axis=0), scales

    def bias(self, scales: np.ndarray) -> str:
        """A bias of 32 bits, in steps of these scales."""
        numbers = self.random.integers(-2000, 2000, scales.size).astype(np.int32)
        zeros = self.constant(np.zeros(scales.size, np.int32))
        name = self.constant(numbers), self.constant(scales), zeros
        return self.add("DequantizeLinear", *name, axis=0)

    def conv(self, data: str, *shape: int, **attributes: object) -> str:
        """A convolution of weights of a shape."""
        step = self.scale
        weight, scales = self.weights(*shape)
        return self.add("Conv", data, weight, self.bias(scales * step), **attributes)

    def model(self, result: str) -> onnx.ModelProto:
        """The whole model."""
        taken = helper.make_tensor_value_info("image", TensorProto.FLOAT, self.shape)
        given = helper.make_tensor_value_info(result, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "network", [taken], [given], self.constants)
        opset = [helper.make_opsetid("", 19)]
        return onnx.shape_inference.infer_shapes(
            helper.make_model(graph, opset_imports=opset, ir_version=9)
        )


def conv(channels: int, *shape: int, kind: str = "uint8", **attributes: object) -> Network:
    """A network of one convolution."""
    network = Network(channels, kind)
    data = network.quantized("image", 0.03)
    network.quantized(network.conv(data, *shape, **attributes), 0.06)
    return network


def dense() -> Network:
    """Means of channels, and a product with a matrix."""
    network = Network(22)
    data = network.quantized("image", 0.03)
    means = network.add("GlobalAveragePool", data)
    rows = network.quantized(network.add("Flatten", means), 0.004)
    weight, scales = network.weights(19, 22)
    bias = network.bias(scales * network.scale)
    network.quantized(network.add("Gemm", rows, weight, bias, transB=1), 0.002)
    return network


def residual() -> Network:
    """A sum of two results beside one of them, and the largest of each three by three pixels."""
    network = Network(24)
    data = network.quantized("image", 0.03)
    one = network.quantized(network.conv(data, 24, 24, 1, 1), 0.06)
    network.scale = 0.03
    other = network.quantized(network.conv(data, 24, 24, 1, 1), 0.05, 100)
    both = network.quantized(network.add("Add", one, other), 0.09)
    joined = network.quantized(network.add("Concat", one, both, axis=1), 0.1)
    pooled = network.add("MaxPool", joined, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    network.quantized(pooled, 0.1)
    return network


def networks() -> dict[str, Network]:
    """The networks by name."""
    return {
        "few channels": conv(3, 20, 3, 3, 3, strides=[2, 2], pads=[0, 0, 1, 1]),
        "24 channels": conv(24, 40, 24, 1, 1),
        "dilated": conv(17, 16, 17, 3, 3, dilations=[2, 2], pads=[2, 2, 2, 2]),
        "depthwise": conv(24, 24, 1, 5, 5, group=24, pads=[2, 2, 2, 2]),
        "depthwise, stride 2": conv(20, 20, 1, 3, 3, group=20, strides=[2, 2], pads=[0, 0, 1, 1]),
        "int8": conv(24, 40, 24, 3, 3, kind="int8", pads=[1, 1, 1, 1]),
        "dense": dense(),
        "residual": residual(),
    }


def result(network: Network, target: str, level: str, folder: Path) -> dict:
    """Compile a network and run it on an image."""
    tvm = load_tvm()
    from tvm.relax import VirtualMachine
    from tvm.target import codegen

    from deltann.tvm import importers, levels, pipeline, target_kinds

    kind, file = target_kinds.get(target_kinds.CPU), folder / "network.onnx"
    processor = tvm.target.Target(kind.resolve({"kind": "llvm", "mcpu": target}))
    model = network.model(network.nodes[-1].output[0])
    onnx.save(model, file)
    passes = list(levels.LEVELS[level])
    steps = levels.kernel_pipeline(passes, kind, processor, own_kernels=True)
    script = folder / "kernels.py"
    outputs = pipeline.Outputs(folder / "library.so", folder / "graph.py", script)
    details = pipeline.compile_module(
        importers.import_model(file, "onnx").repaired(),
        processor,
        steps,
        passes,
        "rules",
        None,
        outputs,
        pipeline.Clock(),
    )
    found = {
        "operators": details["operators"]["compiled"],
        "integers": details["integers"],
        "unscheduled": details["unscheduled"],
        "instruction": INSTRUCTION in script.read_text(),
        "steps": None,
        "share": None,
    }
    host = tvm.target.Target(kind.resolve({"kind": "llvm", "mcpu": "host"}))
    needed, there = ("avx512vnni" in codegen.llvm_get_cpu_features(x) for x in (processor, host))
    if needed and not there:
        return found
    image = np.random.default_rng(1).normal(0, 1, network.shape).astype(np.float32)
    machine = VirtualMachine(tvm.runtime.load_module(str(outputs.library)), tvm.cpu())
    answer = machine["main"](tvm.runtime.tensor(image)).numpy()
    (expected,) = ReferenceEvaluator(model).run(None, {"image": image})
    apart = np.abs(answer - expected) / network.scale
    assert np.unique(expected).size > 10  # not at the ends of its range
    return found | {"steps": float(apart.max()), "share": float((apart > 0.5).mean())}


def main() -> None:
    """Print the results."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks().items():
            for target, level in TARGETS:
                here = Path(folder) / f"{len(found)}"  # a library that is loaded stays so
                here.mkdir()
                found[f"{name}, {target} {level}"] = result(network, target, level, here)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
