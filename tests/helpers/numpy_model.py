"""A small model in numpy, behind the protocol of tracers, to plant faults in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deltann.steps import Operator

CHANNELS, HEIGHT, WIDTH, CLASSES = 4, 5, 6, 7


class NumpyTracer:
    """Runs operators of the kinds that `network` has, channels first."""

    layout = "NCHW"
    input, output = "image", "logits"
    input_shape = (1, 3, HEIGHT, WIDTH)

    def __init__(self, operators: Sequence[Operator]):
        self._operators = list(operators)
        self.runs = 0

    def __enter__(self) -> "NumpyTracer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def operators(self) -> list[Operator]:
        return self._operators

    def run(
        self,
        image: np.ndarray,
        wanted: Collection[str],
        replaced: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        self.runs += 1
        known = {self.input: image, **(replaced or {})}
        for operator in self._operators:
            (output,) = operator.outputs
            if output not in known:
                known[output] = evaluate(operator, [known[name] for name in operator.inputs])
        return {name: known[name] for name in wanted}


def evaluate(operator: Operator, inputs: list[np.ndarray]) -> np.ndarray:
    """The result of an operator, float32."""
    numbers, attributes, x = operator.parameters, operator.attributes, inputs[0]
    match operator.kind:
        case "convolution":
            result = np.einsum("oi,nihw->nohw", numbers["weight"][:, :, 0, 0], x)
            result = result + _wide(numbers.get("bias", np.zeros(len(result[0]))))
        case "batch_norm":
            factor = numbers["scale"] / np.sqrt(numbers["variance"] + attributes["epsilon"])
            result = (x - _wide(numbers["mean"])) * _wide(factor) + _wide(numbers["shift"])
        case "clip":
            result = np.clip(x, attributes.get("min"), attributes.get("max"))
        case "leaky_relu":
            result = np.where(x > 0, x, attributes["slope"] * x)
        case "add":
            result = x + inputs[1]
        case "subtract":
            result = x - inputs[1]
        case "transpose":
            result = x.transpose(attributes["permutation"])
        case "mean":
            result = x.mean((2, 3))
        case "dense":
            result = x.reshape(len(x), -1) @ numbers["weight"].T + numbers.get("bias", 0)
    return result.astype(np.float32)


def _wide(vector: np.ndarray) -> np.ndarray:
    return vector[None, :, None, None]


def network(seed: int = 0) -> list[Operator]:
    """Two convolutions with a batch norm, a residual, a mean and a dense layer."""
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return random.standard_normal(shape).astype(np.float32)

    relu = {"min": 0, "max": None}
    norm = {"scale": 1 + normal(CHANNELS) / 4, "shift": normal(CHANNELS), "mean": normal(CHANNELS)}
    norm |= {"variance": np.abs(normal(CHANNELS)) + 0.1}
    one = {"weight": normal(CHANNELS, 3, 1, 1), "bias": normal(CHANNELS)}
    two = {"weight": normal(CHANNELS, CHANNELS, 1, 1), "bias": normal(CHANNELS)}
    last = {"weight": normal(CLASSES, CHANNELS), "bias": normal(CLASSES)}
    return [
        Operator("conv1", "Conv", "convolution", ("image",), ("a",), {}, one),
        Operator("norm1", "Norm", "batch_norm", ("a",), ("b",), {"epsilon": 1e-3}, norm),
        Operator("relu1", "Relu", "clip", ("b",), ("c",), relu),
        Operator("conv2", "Conv", "convolution", ("c",), ("d",), {}, two),
        Operator("add", "Add", "add", ("d", "c"), ("e",)),
        Operator("relu2", "Relu", "clip", ("e",), ("f",), {"min": 0, "max": 6}),
        Operator("mean", "Mean", "mean", ("f",), ("g",)),
        Operator("dense", "Gemm", "dense", ("g",), ("logits",), {}, last),
    ]


def changed(operators: Sequence[Operator], name: str, **fields: object) -> list[Operator]:
    """The operators, one of them with other attributes, parameters, inputs or kind."""
    return [replace(item, **fields) if item.name == name else item for item in operators]


def without(operators: Sequence[Operator], name: str) -> list[Operator]:
    """The operators without one: its readers read what it read first."""
    gone = next(item for item in operators if item.name == name)
    (output,) = gone.outputs
    kept = [item for item in operators if item.name != name]
    return [
        replace(item, inputs=tuple(gone.inputs[0] if x == output else x for x in item.inputs))
        for item in kept
    ]


def renamed(operators: Sequence[Operator]) -> list[Operator]:
    """The operators with names that say nothing, and so their tensors, but for input and logits."""
    kept = {NumpyTracer.input, NumpyTracer.output}

    def other(name: str) -> str:
        return name if name in kept else f"x{hash(name) % 99991}"

    return [
        replace(
            item,
            inputs=tuple(map(other, item.inputs)),
            outputs=tuple(map(other, item.outputs)),
        )
        for item in operators
    ]
