"""Preparations of a model file before its conversion, by foreign tools."""

from dataclasses import dataclass
from pathlib import Path

ONNXSIM, FOLDING = "onnxsim", "constant folding by ONNX Runtime"
DECOMPOSED = "decomposition by torch.export"


@dataclass(frozen=True)
class Prepass:
    """A preparation: the framework of the files that it takes and writes, and its environment."""

    framework: str
    environment: str


PREPASSES = {
    ONNXSIM: Prepass("onnx", "onnx2tf"),
    FOLDING: Prepass("onnx", "onnx"),
    DECOMPOSED: Prepass("torch", "torch"),
}


def run(name: str, model_file: Path, output: Path) -> bool:
    """Write a model file as one of `PREPASSES` makes it; whether it changed the graph.

    Raises:
        Exception: the tool's own.
    """
    if name == DECOMPOSED:
        return _decompose(model_file, output)
    import onnx

    if name == ONNXSIM:
        import onnxsim

        simplified, checked = onnxsim.simplify(onnx.load(model_file))
        if not checked:
            raise ValueError("onnxsim says that its own result differs")
        onnx.save(simplified, output)
    else:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(output)
        providers = ["CPUExecutionProvider"]
        onnxruntime.InferenceSession(str(model_file), options, providers=providers)
    before, after = (
        [node.op_type for node in onnx.load(file).graph.node] for file in (model_file, output)
    )
    return before != after


def _decompose(model_file: Path, output: Path) -> bool:
    """Write a PyTorch program in PyTorch's core operators."""
    import torch

    from deltann.formats import exported_program

    program = exported_program.load(model_file)
    decomposed = program.run_decompositions()
    torch.export.save(decomposed, output)
    before, after = (
        [str(node.target) for node in item.graph.nodes] for item in (program, decomposed)
    )
    return before != after
