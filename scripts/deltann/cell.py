"""A cell: the five names that say what was run, and where."""

from dataclasses import astuple, dataclass

NAMES = ("model", "source", "target", "backend", "device")


@dataclass(frozen=True)
class Cell:
    """The five names of a cell."""

    model: str
    source: str
    target: str
    backend: str
    device: str

    def __str__(self) -> str:
        return "/".join(astuple(self))
