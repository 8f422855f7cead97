"""What a study must have for a table or a figure to show something: known before it runs.

A module in `deltann/tables/` or `deltann/figures/` names its condition in `NEEDS`, a literal that
`deltann.registry` reads.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from deltann import device, registry
from deltann.cell import NAMES, NATIVE, SOURCE, UNCONVERTED, Cell
from deltann.errors import StudyError
from deltann.models import paper
from deltann.study import grid
from deltann.tvm.levels import LEVELS
from deltann.tvm.target_kinds import CPU

Shown = TypeVar("Shown", registry.Table, registry.Figure)
Condition = Callable[[dict, Sequence[Cell]], bool]
# The levels that the paper's tables compare.
PUBLISHED_LEVELS = ("O0", "O2", "O4")


def tables(config: dict, cells: Sequence[Cell]) -> dict[str, registry.Table]:
    """The tables that this study fills, by name. The others are computed, but say nothing.

    Args:
        config: of the study.
        cells: all its cells.

    Raises:
        StudyError: a table's module names an unknown condition.
    """
    return _shown(registry.TABLES, registry.tables(), config, cells)


def figures(config: dict, cells: Sequence[Cell]) -> dict[str, registry.Figure]:
    """The figures that this study fills, by name, as `tables`. The others aren't drawn."""
    return _shown(registry.FIGURES, registry.figures(), config, cells)


def _shown(
    room: str, declared: dict[str, Shown], config: dict, cells: Sequence[Cell]
) -> dict[str, Shown]:
    for name, item in declared.items():
        if item.needs and item.needs not in CONDITIONS:
            raise StudyError(
                f"{registry.PACKAGE / room / name}.py: NEEDS is {item.needs!r}; expected one of "
                f"{', '.join(CONDITIONS)}"
            )
    needed = sorted({item.needs for item in declared.values()} - {""})
    met = {"": True} | {name: CONDITIONS[name](config, cells) for name in needed}
    return {name: item for name, item in declared.items() if met[item.needs]}


def _native(cells: Iterable[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.backend == NATIVE]


def _unconverted(cells: Iterable[Cell]) -> list[Cell]:
    """The cells of models in the framework they come from, with their own preprocessing."""
    return [
        cell
        for cell in cells
        if cell.target == cell.source and cell.route == UNCONVERTED and cell.preprocessing == SOURCE
    ]


def _differ(cells: Iterable[Cell], *varied: str) -> bool:
    """Whether two of the cells differ in nothing but the varied names."""
    shared = attrgetter(*(name for name in NAMES if name not in varied))
    seen = set()
    for cell in cells:
        key = shared(cell)
        if key in seen:
            return True
        seen.add(key)
    return False


def _real(config: dict, cells: Iterable[Cell]) -> list[Cell]:
    """The cells that tables of time are about, as `Study.real_cells`."""
    return [cell for cell in cells if not device.emulated(config["devices"][cell.device])]


def _levels(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `speedups`: levels of TVM, and settings of a runtime."""
    ladders = (cell for cell in _real(config, cells) if cell.backend in LEVELS or not cell.compiled)
    return _differ((cell for cell in ladders if cell.backend != NATIVE), "backend")


def _sources(config: dict, cells: Sequence[Cell]) -> bool:
    return _differ(_native(_unconverted(cells)), "source", "target")


def _timed(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `anova`."""
    cells = _real(config, cells)
    own = [cell for cell in cells if cell.preprocessing == SOURCE]
    return (
        any(_differ(cells, name) for name in ("device", "schedule", "compiler"))
        or _levels(config, cells)
        or _differ(own, "target", "route", "importer")
        or _differ(_unconverted(cells), "source", "target", "importer")
    )


def _frameworks(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `frameworks`: other cells than the unconverted ones, or two frameworks' own."""
    cells = _real(config, cells)
    unconverted = _unconverted(cells)
    return len(unconverted) < len(cells) or _differ(unconverted, "source", "target", "importer")


def _single_passes(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `passes`: a file is compiled with no pass, and with one pass alone."""
    numbers = {name: len(set(passes)) for name, passes in grid.pass_sets(config).items()}
    few = [cell for cell in _real(config, cells) if cell.compiled and numbers[cell.backend] < 2]
    shared = attrgetter(*(name for name in NAMES if name != "backend"))
    found: dict[tuple, set[int]] = {}
    for cell in few:
        found.setdefault(shared(cell), set()).add(numbers[cell.backend])
    return any(len(sizes) == 2 for sizes in found.values())


def _published(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `published`: two of the paper's levels of one of its models."""
    compiled = [cell for cell in _unconverted(_real(config, cells)) if cell.compiled]
    of_paper = [cell for cell in compiled if cell.model in paper.MODELS]
    return _differ((cell for cell in of_paper if cell.backend in PUBLISHED_LEVELS), "backend")


def _timed_kernels(config: dict, cells: Sequence[Cell]) -> bool:
    """As the table `kernels`: compiled for a processor of this machine."""
    devices = {cell.device for cell in cells if cell.compiled}
    described = [config["devices"][name] for name in devices]
    return any(item["target"]["kind"] == CPU and "rpc" not in item for item in described)


# What `NEEDS` may name.
CONDITIONS: dict[str, Condition] = {
    "comparisons": lambda config, cells: len(_native(_unconverted(cells))) < len(cells),
    "compiled cells": lambda config, cells: any(cell.compiled for cell in cells),
    "conversions": lambda config, cells: any(c.target != c.source for c in _native(cells)),
    "devices": lambda config, cells: _differ(_real(config, cells), "device"),
    "frameworks": _frameworks,
    "levels": _levels,
    "other backends": lambda config, cells: any(cell.backend != NATIVE for cell in cells),
    "preparations": lambda config, cells: _differ(_native(cells), "preprocessing", "resizer"),
    "published levels": _published,
    "single passes": _single_passes,
    "sources": _sources,
    "targets": lambda config, cells: _differ(_native(cells), "target", "route"),
    "timed factors": _timed,
    "timed kernels": _timed_kernels,
}
