"""Runners: one module per runtime that loads and runs model files.

A module offers what `RunnerModule` states. Importing it imports no foreign package.
"""

import time
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, Self, cast

from deltann.formats.tensor_types import FLOAT32, TensorType, decode, encode

if TYPE_CHECKING:
    import numpy as np

# TVM's runners: on this machine, and behind an RPC server.
COMPILED, REMOTE = "tvm", "tvm_rpc"


class Runner(Protocol):
    """A model that its runtime has loaded: a context manager, which loads it and lets it go.

    Attributes:
        input_shape: of the model's one input, (1, channels, height, width) or the channels last.
        input_type, output_type: of that input and of the output in the file.
        machine: the machine that a remote runner runs on: `processor`, `system`, `threads`, and
            `gpu` where it has one. None for runners on this machine.
        operators: what the loaded model computes in, where the runtime decides on that: see
            `precisions.Reader`. None if it computes in what the file says.
    """

    input_shape: tuple[int, ...]
    input_type: TensorType
    output_type: TensorType
    machine: dict | None
    operators: dict[str, int] | None

    def __enter__(self) -> Self:
        """Load the model.

        Raises:
            ValueError: the runtime can't run this file on the device, or finds no such device.
            Unreachable: no RPC server answers.
        """
        ...

    def __exit__(self, *exception: object) -> None:
        """Free the model."""
        ...

    def infer(self, batch: "np.ndarray") -> "np.ndarray":
        """Run one batch.

        Args:
            batch: float32 of `input_shape`, normalised.

        Returns:
            (1, outputs) float32 logits.

        Raises:
            ValueError: the model's input can't hold the batch: see `tensor_types.encode`.
        """
        ...

    def timed(self, batch: "np.ndarray") -> "tuple[np.ndarray, float]":
        """`infer`'s logits, and the seconds that it took by the clock of the runner's machine.

        The time is without changing float32 into the types of the file, and back.
        """
        ...

    def kernel_times(self, batch: "np.ndarray") -> dict | None:
        """How long each kernel takes on a batch, see `tvm.kernel_times`; None where it can't tell.

        The runner is slower afterwards.
        """
        ...


class LocalRunner:
    """What runners on this machine have in common."""

    input_shape: tuple[int, ...]
    input_type: TensorType = FLOAT32
    output_type: TensorType = FLOAT32
    machine: dict | None = None
    operators: dict[str, int] | None = None

    def run(self, batch: "np.ndarray") -> "np.ndarray":
        """The model's output for a batch of its `input_type`, as the file has it."""
        raise NotImplementedError

    def infer(self, batch: "np.ndarray") -> "np.ndarray":
        """See `Runner`."""
        return self.timed(batch)[0]

    def timed(self, batch: "np.ndarray") -> "tuple[np.ndarray, float]":
        """See `Runner`."""
        given = encode(batch, self.input_type)
        start = time.perf_counter()
        answer = self.run(given)
        seconds = time.perf_counter() - start
        return decode(answer, self.output_type), seconds

    def kernel_times(self, batch: "np.ndarray") -> dict | None:
        """See `Runner`."""
        return None


class RunnerModule(Protocol):
    """A module of this package.

    Attributes:
        ENVIRONMENT: the environment that the runtime is in.
        SUFFIX: how the names of its model files end.
        SETTINGS: each setting that a config's `runtimes` may set, with the values it can take.
        TARGET_KINDS: the kinds of TVM targets, of `tvm.target_kinds`, whose devices it runs on.
        Runner: makes a `Runner` from `model_file`, `threads` (0: all) and the settings by
            keyword. It takes `gpu=True` if `TARGET_KINDS` has CUDA, and `rpc` (see
            `device.placement`) if it runs on another machine.
    """

    ENVIRONMENT: str
    SUFFIX: str
    SETTINGS: dict[str, tuple]
    TARGET_KINDS: tuple[str, ...]
    Runner: Callable[..., Runner]

    def versions(self) -> dict[str, str]:
        """The version of each package that computes, by its name; imports them."""
        ...


def frameworks() -> list[str]:
    """The names of all frameworks: of all runners but TVM's."""
    names = (item.name for item in iter_modules(__path__))
    return sorted(name for name in names if name not in (COMPILED, REMOTE))


def get(name: str) -> RunnerModule:
    """The module of a known runner."""
    return cast(RunnerModule, import_module(f"{__name__}.{name}"))


def runs_on(name: str, kind: str) -> bool:
    """Whether a framework's own runtime runs on devices of this kind of TVM target."""
    return kind in get(name).TARGET_KINDS
