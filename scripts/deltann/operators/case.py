"""Cases: models of one operator, each with one combination of the operator's attributes."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    import numpy as np

SOURCES = ("torch", "onnx", "keras")
SEED = 17
# Channels, height and width differ, so that no permutation of axes goes unseen.
CHANNELS, HEIGHT, WIDTH = 6, 11, 14
NCHW, NHWC = (1, CHANNELS, HEIGHT, WIDTH), (1, HEIGHT, WIDTH, CHANNELS)
# Numbers where activations have their kinks and roundings their ties: part of every input.
SPECIAL = (0.0, 0.5, -0.5, 1.5, -1.5, 2.5, 3.0, -3.0, 6.0, -6.0, 1.0, -1.0)
# How many more inputs a quantizer sees than the one that is tested.
CALIBRATION = 7
EIGHT_BITS = 255


@dataclass(frozen=True)
class Case:
    """A model of one operator.

    Attributes:
        kind: of operator, one of the config's `operators.kinds`.
        name: unique within the source; also of its file.
        shape: of the input, batch first, as the source has its axes.
        settings: how to build it: see the source's module.
        positive: whether the input has positive numbers only.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    settings: dict = field(hash=False)
    positive: bool = False

    def fields(self) -> dict:
        """What JSON can hold, and `of_fields` takes."""
        return asdict(self) | {"shape": list(self.shape)}

    def inputs(self) -> "np.ndarray":
        """The input that is tested, then those that only quantizers see.

        Returns:
            float32, (1 + `CALIBRATION`, *shape); always the same.
        """
        import numpy as np

        random = np.random.default_rng(SEED)
        values = 2 * random.standard_normal((1 + CALIBRATION, *self.shape))
        flat = values.reshape(len(values), -1)
        places = random.permutation(flat.shape[1])[: len(SPECIAL)]
        flat[:, places] = SPECIAL[: len(places)]
        return (np.abs(values) + 0.25 if self.positive else values).astype(np.float32)


def of_fields(fields: dict) -> Case:
    """The case that `Case.fields` described."""
    return Case(**fields | {"shape": tuple(fields["shape"])})


class Source(Protocol):
    """A module of this package that makes the cases of one source framework.

    Attributes:
        ENVIRONMENT: the environment that it runs in.
    """

    ENVIRONMENT: str

    def cases(self) -> Iterator[Case]:
        """All its cases."""
        ...

    def build(self, case: Case, output: Path) -> None:
        """Write a case's model, in float32, in the framework's format.

        Raises:
            Exception: the framework's own; the case is then refused by its source.
        """
        ...

    def references(self, case: Case, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
        """The operator's answers, computed as the inputs' type says, float32 or float64."""
        ...


def source(name: str) -> Source:
    """The module of a known source."""
    return cast(Source, import_module(f"deltann.operators.{name}_models"))


def grid(**values: list) -> list[dict]:
    """All combinations of some values, as keyword arguments."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def case(
    kind: str, what: str, settings: dict, shape: tuple[int, ...], label: Any, positive: bool = False
) -> Case:
    """A case, named after its operator and what is special about it.

    Args:
        kind, settings, shape, positive: as of `Case`.
        what: the operator, in the words of its framework.
        label: a mapping of attributes, or a text.
    """
    text = "-".join(f"{k}={v}" for k, v in label.items()) if isinstance(label, dict) else label
    words = re.sub(r"[^A-Za-z0-9=.-]+", "_", f"{what}-{text}" if text else what)
    return Case(kind, words.replace("_-", "-").strip("_-"), shape, settings, positive)
