"""What a worker does with one case: build its model, convert it, or have a backend answer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import converters, runners
from deltann.operators.case import Case, of_fields, source

if TYPE_CHECKING:
    import numpy as np


def get(name: str) -> Callable:
    """A task by name."""
    known: dict[str, Callable] = {
        "build": build,
        "convert": convert,
        "answer": answer,
        "compiled": compiled,
    }
    return known[name]


def build(framework: str, case: dict, output: str, arrays: str) -> None:
    """Build a case's model, and compute what it should answer.

    Args:
        framework: the source.
        case: the fields of a `Case`.
        output: the model file to write.
        arrays: the `.npz` file to write: `input`; `reference`, in float64; `single`, the same
            operator in float32; `moved`, in float64 for an input that is one unit in the last place
            of float32 away; `half`, for one that is rounded to float16; and `rounded`, for one that
            is rounded to 8 bits.
    """
    import numpy as np

    item, module = of_fields(case), source(framework)
    module.build(item, Path(output))
    inputs = item.inputs()
    tested = inputs[:1].reshape(item.shape)
    double = tested.astype(np.float64)
    half = tested.astype(np.float16).astype(np.float64)
    given = [double, tested, _moved(tested).astype(np.float64), half, _rounded(double, inputs)]
    answers = module.references(item, given)
    names = ("reference", "single", "moved", "half", "rounded")
    stored: dict[str, Any] = dict(zip(names, answers, strict=True))
    np.savez(arrays, input=tested, **stored)


def _moved(tested: "np.ndarray") -> "np.ndarray":
    """The input with each number moved to a neighbour in float32, at random; not those at ties."""
    import numpy as np

    signs = np.random.default_rng(0).choice([-np.inf, np.inf], tested.shape)
    at_tie = tested * 2 == np.round(tested * 2)
    return np.where(at_tie, tested, np.nextafter(tested, signs.astype(np.float32)))


def _rounded(tested: "np.ndarray", inputs: "np.ndarray") -> "np.ndarray":
    """The input in 256 steps over the range of all inputs."""
    import numpy as np

    low, high = min(0.0, float(inputs.min())), max(0.0, float(inputs.max()))
    step = (high - low) / 255
    return np.round((tested - low) / step) * step + low


class Calibration:
    """What quantizers ask `images.calibration.Calibration` for."""

    def __init__(self, case: Case):
        self.case = case

    def inputs(self, input_shape: tuple[int, ...]) -> "Iterator[np.ndarray]":
        """See `images.calibration.Calibration`; the tested input is among them."""
        for value in self.case.inputs():
            yield placed(value[None].reshape(self.case.shape), (1, *input_shape[1:]))


def placed(value: "np.ndarray", shape: tuple[int, ...]) -> "np.ndarray":
    """An input with its axes as a model wants them.

    Raises:
        ValueError: neither the axes as they are, nor the channels moved, give the shape.
    """
    import numpy as np

    for order in _orders(value.ndim):
        if value.transpose(order).shape == tuple(shape):
            return np.ascontiguousarray(value.transpose(order))
    raise ValueError(f"the model takes {tuple(shape)}; the case's input is {value.shape}")


def _orders(dimensions: int) -> list[tuple[int, ...]]:
    """As it is, the channels moved to the end, and to the front."""
    axes = tuple(range(dimensions))
    if dimensions < 3:
        return [axes]
    return [axes, (0, *axes[2:], 1), (0, axes[-1], *axes[1:-1])]


def convert(converter: str, settings: dict, case: dict, model_file: str, output: str) -> None:
    """Convert a case's model; see `converters.Converter`."""
    module = converters.get(converter)
    if converters.calibrates(converter):
        settings = settings | {"calibration": Calibration(of_fields(case))}
    module.convert(Path(model_file), Path(output), **settings)
    if not Path(output).is_file() or not Path(output).stat().st_size:
        raise RuntimeError("the tool ended without an error and wrote nothing")


def answer(framework: str, settings: dict, case: dict, model_file: str, arrays: str) -> None:
    """Have a framework's own runtime answer; write `answer` to the `.npz` file `arrays`."""
    module: Any = runners.get(framework)
    if framework == "torch":
        _threads_once()
    _save(module.Runner(Path(model_file), 1, **settings), case, arrays)


def _threads_once() -> None:
    """Let PyTorch's runner set the threads for each model: PyTorch raises the second time."""
    import torch

    if torch.get_num_interop_threads() == 1:
        torch.set_num_interop_threads = lambda number: None


def compiled(framework: str, passes: list[str], case: dict, model_file: str, arrays: str) -> None:
    """Compile by TVM and have its virtual machine answer, likewise."""
    from deltann.provenance import files
    from deltann.stages.compile import compile_file

    library = Path(f"{arrays}.so")
    details = compile_file(
        framework=framework,
        passes=passes,
        schedule="rules",
        target={"kind": "llvm", "mcpu": "host"},
        model_file=model_file,
        output=str(library),
        graph=f"{arrays}.tvmscript",
    )
    files.write_json(Path(f"{library}.json"), {"details": details})
    _save(runners.get(runners.COMPILED).Runner(library, 1), case, arrays)


def _save(runner: Any, case: dict, arrays: str) -> None:
    """Ask a runner, and save its answer."""
    import numpy as np

    item = of_fields(case)
    tested = item.inputs()[:1].reshape(item.shape)
    with runner:
        given = runner.infer(placed(tested, runner.input_shape))
    np.savez(arrays, answer=np.asarray(given))
