"""Changes of a model file, in the words of `deltann.steps`: what a repair consists of.

An editor (`deltann.editors`) applies them to a file of its format.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from deltann.steps import Operator

if TYPE_CHECKING:
    import numpy as np


class Impossible(ValueError):
    """The format has no way to say what an edit asks for."""


@dataclass(frozen=True)
class SetAttribute:
    """Set an attribute of an operator, such as `epsilon` or `activation` ({} for none)."""

    operator: str
    attribute: str
    value: Any


@dataclass(frozen=True)
class SetParameter:
    """Set a parameter of an operator, also one that it has not: a bias.

    Attributes:
        value: float32, in the layout of `deltann.steps`; it is stored in the file's own type.
    """

    operator: str
    parameter: str
    value: "np.ndarray"


@dataclass(frozen=True)
class Reconnect:
    """Have an operator read another tensor: at `position` of its `inputs`."""

    operator: str
    position: int
    tensor: str


@dataclass(frozen=True)
class Bypass:
    """Take an operator out: whoever reads its output reads its first input."""

    operator: str


@dataclass(frozen=True)
class Insert:
    """Put a new operator behind a tensor: whoever reads the tensor reads the new one's output.

    Attributes:
        behind: the tensor; the model's output keeps its name.
        kind: an activation, a binary operator with an `operand`, `transpose`, `pad`, `batch_norm`.
        attributes, parameters: as of `steps.Operator`.
        inputs: further tensors that it reads, behind the first.
    """

    behind: str
    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)
    parameters: "dict[str, np.ndarray]" = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replace:
    """Write anew what makes a tensor: whoever reads the tensor reads what new operators make.

    Attributes:
        tensor: of the file; later edits of the same list mean the new one by its name.
        operators: in running order; the last one makes what takes the tensor's place. Each has one
            output.
        reads: by the name of each tensor that they read and none of them makes, the file's.
    """

    tensor: str
    operators: tuple[Operator, ...]
    reads: dict[str, str]


Edit = SetAttribute | SetParameter | Reconnect | Bypass | Insert | Replace


class EditorModule(Protocol):
    """A module of `deltann.editors`, named as its framework. Importing it imports no other package.

    Attributes:
        ENVIRONMENT: the environment that it runs in: that of the framework's tracer.
    """

    ENVIRONMENT: str

    def apply(self, model_file: Path, edits: Sequence[Edit], output: Path) -> None:
        """Write a changed copy of a model file, with the same input and output.

        Operators and tensors are named as the framework's tracer names them in `model_file`.

        Raises:
            Impossible: the format can't express an edit, or names something that isn't there.
        """
        ...
