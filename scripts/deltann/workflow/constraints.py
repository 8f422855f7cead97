"""What the wildcards of the rules match."""

from deltann import runners
from deltann.cell import NATIVE, RUNTIME, SCHEDULES
from deltann.images import conventions, resizers
from deltann.study import grid, model_sources

# Edges joined by `+`.
ROUTE = "[a-z0-9_]+(\\+[a-z0-9_]+)*"
GEOMETRY = "[a-z0-9]+-[0-9x]+-[a-z]+"


def suffixes() -> str:
    """The suffix of a model file, of any framework."""
    return grid.alternatives([runners.get(name).SUFFIX for name in runners.frameworks()])


def cell_names(config: dict) -> dict[str, str]:
    """A regular expression for each name of a cell, and for `level`."""
    levels = list(grid.pass_sets(config))
    return {
        "model": grid.alternatives(model_sources.model_names(config)),
        "source": grid.alternatives(list(config["conversions"])),
        "target": grid.alternatives(runners.frameworks()),
        "route": ROUTE,
        "importer": ROUTE,
        "preprocessing": grid.alternatives(conventions.PREPROCESSINGS),
        "resizer": grid.alternatives(resizers.names()),
        "compiler": grid.alternatives([RUNTIME, *config["compilers"]]),
        "schedule": grid.alternatives([RUNTIME, *SCHEDULES]),
        "backend": grid.alternatives([NATIVE, *levels, *config["runtimes"]]),
        "level": grid.alternatives(levels),
        "device": grid.alternatives(list(config["devices"])),
    }
