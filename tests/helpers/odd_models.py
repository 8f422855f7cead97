"""Small models on which this project once failed, compiled at several levels.

Run in TVM's environment: `odd_models.py <folder>` makes each model, compiles and runs it on three
images, and prints as JSON by model and level the largest difference from the answers of ONNX's
reference implementation, or of PyTorch, over their largest value; or why TVM failed.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

SIZE, CLASSES, CHANNELS = 16, 10, 8
LEVELS = ("O0", "O3", "O4")
TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int32": TensorProto.INT32,
    "uint8": TensorProto.UINT8,
}


class Graph:
    """An ONNX graph under construction, with random constants."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value) -> str:
        """Add a constant; return its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def normal(self, name: str, *shape: int, kind: str = "float32") -> str:
        """Add random weights; return their name."""
        return self.constant(name, self.generator.standard_normal(shape).astype(kind))

    def model(self, nodes: list, kind: str = "float32", opset: int = 18) -> onnx.ModelProto:
        """Takes the `image` in NCHW, gives `logits`, both of this type."""
        shapes = {"image": [1, 3, SIZE, SIZE], "logits": [1, CLASSES]}
        ends = [
            [helper.make_tensor_value_info(name, TYPES[kind], shape)]
            for name, shape in shapes.items()
        ]
        graph = helper.make_graph(nodes, "odd", *ends, self.constants)
        opsets = [helper.make_opsetid("", opset)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        onnx.checker.check_model(made)
        return made


def padded(kind: str) -> onnx.ModelProto:
    """A Pad in another type than float32; a Clip behind it, where the type is a real one."""
    graph = Graph(0)
    scale = graph.constant("scale", np.float32(30 if kind == "int32" else 1))
    widths = graph.constant("widths", np.array([0, 0, 1, 0, 0, 0, 2, 1]))
    low, high = (graph.constant(name, np.array(v, kind)) for name, v in (("lo", -20), ("hi", 20)))
    nodes = [
        helper.make_node("Mul", ["image", scale], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["cast"], to=TYPES[kind]),
        helper.make_node("Clip", ["cast", low, high], ["clipped"]),
        helper.make_node("Pad", ["clipped", widths], ["padded"]),
        helper.make_node("Cast", ["padded"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["real", graph.normal("w", CHANNELS, 3, 3, 3)], ["features"]),
        *head(graph, "features", "logits"),
    ]
    return graph.model(nodes)


def half() -> onnx.ModelProto:
    """A model of float16 from end to end."""
    graph = Graph(4)
    weight = graph.normal("w", CLASSES, 3, 3, 3, kind="float16")
    nodes = [
        helper.make_node("Conv", ["image", weight], ["features"]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["logits"]),
    ]
    return graph.model(nodes, "float16")


def quantized() -> onnx.ModelProto:
    """A model of uint8 at both ends, with a scale and a zero point at each."""
    graph = Graph(5)
    ends = {"in": (1 / 32, 128), "out": (1 / 4, 100)}
    scales = {
        name: [
            graph.constant(f"{name}_scale", np.float32(scale)),
            graph.constant(f"{name}_zero", np.uint8(zero)),
        ]
        for name, (scale, zero) in ends.items()
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["moved"], perm=[0, 1, 2, 3]),
        helper.make_node("DequantizeLinear", ["moved", *scales["in"]], ["real"]),
        helper.make_node("Conv", ["real", graph.normal("w", CHANNELS, 3, 3, 3)], ["features"]),
        *head(graph, "features", "unscaled"),
        helper.make_node("QuantizeLinear", ["unscaled", *scales["out"]], ["logits"]),
    ]
    return graph.model(nodes, "uint8", opset=19)


def head(graph: Graph, features: str, output: str) -> list:
    """Pooling and a dense layer, whose weights the graph around a branch has."""
    weight = graph.normal(f"{output}_weight", CHANNELS, CLASSES)
    return [
        helper.make_node("GlobalAveragePool", [features], [f"{output}_pool"]),
        helper.make_node("Flatten", [f"{output}_pool"], [f"{output}_flat"]),
        helper.make_node("MatMul", [f"{output}_flat", weight], [output]),
    ]


def branched() -> onnx.ModelProto:
    """An `If` whose branches have convolutions; two parallel ones before it, and one behind."""
    graph = Graph(1)

    def branch(name: str) -> onnx.GraphProto:
        weight = graph.normal(f"{name}_weight", CHANNELS, CHANNELS, 3, 3)
        nodes = [
            helper.make_node("Conv", ["sum", weight], [f"{name}_conv"], pads=[1] * 4),
            helper.make_node("Relu", [f"{name}_conv"], [f"{name}_relu"]),
            helper.make_node("Conv", [f"{name}_relu", weight], [name], pads=[1] * 4),
        ]
        shape = [1, CHANNELS, SIZE, SIZE]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        return helper.make_graph(nodes, name, [], [output])

    axes = graph.constant("axes", np.array([0, 1, 2, 3]))
    weights = [graph.normal(name, CHANNELS, 3, 1, 1) for name in ("left_weight", "right_weight")]
    nodes = [
        helper.make_node("Conv", ["image", weights[0]], ["left"]),
        helper.make_node("Conv", ["image", weights[1]], ["right"]),
        helper.make_node("Add", ["left", "right"], ["sum"]),
        helper.make_node("ReduceMean", ["image", axes], ["mean"], keepdims=0),
        helper.make_node("Greater", ["mean", graph.constant("zero", np.float32(0))], ["bright"]),
        helper.make_node(
            "If", ["bright"], ["chosen"], then_branch=branch("yes"), else_branch=branch("no")
        ),
        helper.make_node(
            "Conv", ["chosen", graph.normal("w", CHANNELS, CHANNELS, 3, 3)], ["features"]
        ),
        *head(graph, "features", "logits"),
    ]
    return graph.model(nodes)


class Conditional(torch.nn.Module):
    """A `torch.cond`."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.features = torch.nn.Conv2d(3, CHANNELS, 3)
        self.last = torch.nn.Linear(CHANNELS, CLASSES)

    def forward(self, batch):
        logits = self.last(self.features(batch).relu().mean((2, 3)))
        return torch.cond(batch.mean() > 0, lambda x: x * 2, lambda x: x - 1, (logits,))


def images() -> np.ndarray:
    """A bright image, a dark one, and one of neither."""
    noise = np.random.default_rng(3).standard_normal((3, 1, 3, SIZE, SIZE))
    return (noise + np.reshape([1, -1, 0], (3, 1, 1, 1, 1))).astype(np.float32)


def same(values: np.ndarray) -> np.ndarray:
    return values


def stored(values: np.ndarray) -> np.ndarray:
    """An image as `quantized` takes it."""
    return np.clip(np.round(values * 32) + 128, 0, 255).astype(np.uint8)


# What a model takes for an image, and what its output stands for.
TAKEN = defaultdict(lambda: same, float16=np.float16, uint8=stored)
GIVEN = defaultdict(lambda: same, uint8=lambda values: (values.astype(np.float32) - 100) / 4)


def compiled_answers(path: Path, framework: str, level: str) -> np.ndarray:
    """The answers of a model file that our pipeline compiles."""
    from deltann.provenance import files
    from deltann.runners.tvm import Runner
    from deltann.stages import compile
    from deltann.tvm import levels

    library, graph = path.with_suffix(".so"), path.with_suffix(".txt")
    target = {"kind": "llvm", "mcpu": "host"}
    passes = list(levels.LEVELS[level])
    details = compile.work(
        before={"precision": {"operators": {}}},
        framework=framework,
        passes=passes,
        schedule="rules",
        target=target,
        model_file=str(path),
        output=str(library),
        graph=str(graph),
    )
    files.write_json(Path(f"{library}.json"), {"details": details})
    with Runner(library, 1) as runner:
        return np.concatenate([runner.infer(image) for image in images()])


def main(folder: Path) -> None:
    """Make, compile and run the models, and print the differences."""
    expected = {}
    made = {
        "float16_pad": padded("float16"),
        "int32_pad": padded("int32"),
        "if": branched(),
        "float16": half(),
        "uint8": quantized(),
    }
    for name, model in made.items():
        onnx.save(model, folder / f"{name}.onnx")
        reference = ReferenceEvaluator(model)
        answers = [reference.run(None, {"image": TAKEN[name](image)})[0] for image in images()]
        expected[f"{name}.onnx"] = GIVEN[name](np.concatenate(answers))
    network = Conditional().eval()
    sample = torch.zeros(1, 3, SIZE, SIZE)
    with torch.no_grad():
        torch.export.save(torch.export.export(network, (sample,)), folder / "cond.pt2")
        answers = [network(torch.from_numpy(image)).numpy() for image in images()]
    expected["cond.pt2"] = np.concatenate(answers)
    apart: dict = {}
    for name, answer in expected.items():
        framework = "torch" if name.endswith(".pt2") else "onnx"
        for level in LEVELS:
            try:
                given = compiled_answers(folder / name, framework, level)
                far = float(np.abs(given - answer).max() / np.abs(answer).max())
            except AttributeError as error:
                # TVM 0.27's FastMathTransform, of O4, fails on a call of a function, as of a branch
                far = str(error)
            apart.setdefault(name, {})[level] = far
    print(json.dumps(apart))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
