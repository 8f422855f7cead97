"""A cell: the names that say what was run, and where."""

from dataclasses import dataclass

from deltann.errors import StudyError

NAMES = (
    "model",
    "source",
    "target",
    "route",
    "preprocessing",
    "resizer",
    "importer",
    "compiler",
    "schedule",
    "backend",
    "device",
)
NATIVE = "native"
UNCONVERTED = "unconverted"
# How a file reaches TVM: not at all, as it is, or by further converters.
NO_IMPORT, DIRECT = "none", "direct"
SOURCE, TARGET = "source", "target"
# Where TVM's kernels come from: its loops as they are, our rules, or the rules' fastest choice.
UNSCHEDULED, RULES, TUNED = "none", "rules", "tuned"
SCHEDULES = (UNSCHEDULED, RULES, TUNED)
# The compiler and the schedule of a cell that a framework's own runtime runs, with its own kernels.
RUNTIME = "runtime"
# Names by which one compilation of a file differs from another, beside the level.
COMPILATION = ("importer", "compiler", "schedule")
# What a file's run in its framework's own runtime is found by.
NATIVE_RUN = {
    "importer": NO_IMPORT,
    "compiler": RUNTIME,
    "schedule": RUNTIME,
    "backend": NATIVE,
}


@dataclass(frozen=True)
class Cell:
    """The names of a cell.

    Attributes:
        model: the model's name.
        source: the framework it comes from.
        target: the framework it is converted to.
        route: the edges between them, joined by `+`; `unconverted` where there are none.
        preprocessing: whose convention prepared the images, `source` or `target`, or the name of
            one of `deltann.images.conventions`.
        resizer: the library that resized them.
        importer: the edges from the target to what TVM imports, joined by `+`; `direct` where
            there are none, and `none` for a cell that TVM doesn't run.
        compiler: the config's name of the TVM that compiled it, or `runtime`.
        schedule: where its kernels come from, one of `SCHEDULES`, or `runtime`.
        backend: `native`, a runtime with settings of the config's, or a level of TVM.
        device: the device's name.
    """

    model: str
    source: str
    target: str
    route: str
    preprocessing: str
    resizer: str
    importer: str
    compiler: str
    schedule: str
    backend: str
    device: str

    @property
    def compiled(self) -> bool:
        """Whether TVM compiled it."""
        return self.schedule != RUNTIME

    @property
    def path(self) -> str:
        """The names joined by `/`, as in the paths of the cell's files."""
        return "/".join(getattr(self, name) for name in NAMES)  # astuple takes twenty times as long

    def __str__(self) -> str:
        return self.path

    @classmethod
    def parse(cls, path: str) -> "Cell":
        """The cell of a `path`.

        Raises:
            StudyError: it doesn't have the names of a cell.
        """
        names = path.split("/")
        if len(names) != len(NAMES) or not all(names):
            raise StudyError(f"{path!r} is no cell; expected {'/'.join(NAMES)}")
        return cls(*names)
