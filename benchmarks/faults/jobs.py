"""What one process of planting is told to do."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """What one process does.

    Attributes:
        corpus: the folder.
        part: of the corpus: `development`, `held-out`, `ci` or `hops`.
        framework: the format.
        models: their names.
        conversions: in which faults are planted.
        clean: conversions that become cases as they are.
        each: cases of each operator of mutation.
        benign: cases of each benign change.
        doubles: cases of two faults.
        most: cases of single faults altogether.
        only: names of operators of mutation; all if empty.
        then: by conversion, those that start from its changed file, in their order.
    """

    corpus: str
    part: str
    framework: str
    models: list[str]
    conversions: list[str]
    clean: list[str]
    each: int = 3
    benign: int = 1
    doubles: int = 0
    most: int | None = None
    only: list[str] = field(default_factory=list)
    then: dict[str, list[str]] = field(default_factory=dict)
