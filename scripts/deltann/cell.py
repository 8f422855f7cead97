"""A cell: the names that say what was run, and where."""

from dataclasses import astuple, dataclass

NAMES = (
    "model",
    "source",
    "target",
    "route",
    "preprocessing",
    "resizer",
    "importer",
    "backend",
    "device",
)
NATIVE = "native"
UNCONVERTED = "unconverted"
# How a file reaches TVM: not at all, as it is, or by further converters.
NO_IMPORT, DIRECT = "none", "direct"
SOURCE, TARGET = "source", "target"


@dataclass(frozen=True)
class Cell:
    """The names of a cell.

    Attributes:
        model: the model's name.
        source: the framework it comes from.
        target: the framework it is converted to.
        route: the edges between them, joined by `+`; `unconverted` where there are none.
        preprocessing: whose convention prepared the images, `source` or `target`.
        resizer: the library that resized them.
        importer: the edges from the target to what TVM imports, joined by `+`; `direct` where
            there are none, and `none` for a cell that TVM doesn't run.
        backend: `native` or a level.
        device: the device's name.
    """

    model: str
    source: str
    target: str
    route: str
    preprocessing: str
    resizer: str
    importer: str
    backend: str
    device: str

    def __str__(self) -> str:
        return "/".join(astuple(self))
