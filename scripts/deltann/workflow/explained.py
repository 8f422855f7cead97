"""What the rule `explain` reads, by the names of its cell."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from snakemake.exceptions import WorkflowError

from deltann import device, runners, tracers
from deltann.cell import NATIVE, Cell
from deltann.study import grid, layout, routes
from deltann.study.reference import References
from deltann.study.routes import REPAIRED, Edge, Step
from deltann.tvm import target_kinds
from deltann.workflow import inputs


class Explained:
    """The cells that can be explained: all but the native ones.

    Args:
        config: the study's.
        cells: all cells of the study, in its order.
    """

    def __init__(self, config: dict, cells: list[Cell]):
        self._config = config
        self._cells = cells

    def cell(self, wildcards: Mapping[str, str]) -> Cell:
        """The cell that wildcards name.

        Raises:
            WorkflowError: the study has no such cell, or there is nothing to explain.
        """
        named = inputs.cell_of(wildcards)
        if named not in self._cells:
            listed = f"{layout.study(self._config['study'])}/{layout.CELLS}"
            raise WorkflowError(f"{named} is not a cell of this study; {listed} lists them")
        if References(self._cells).of_model(named) == named:
            raise WorkflowError(
                f"{named} is the native cell that others are compared with: there is nothing to "
                "explain; expected a cell that is converted, compiled, or prepared otherwise"
            )
        return named

    def native(self, wildcards: Mapping[str, str]) -> Cell:
        """The native cell that the cell is compared with.

        Raises:
            WorkflowError: see `cell`, or the study has no such native cell.
        """
        named = self.cell(wildcards)
        native = References(self._cells).of_model(named)
        if native is None:
            raise WorkflowError(
                f"{named} has no native cell in this study to be compared with: add native to"
                f" backends, and the empty route from {named.source} to {named.source}"
            )
        return native

    def steps(self, wildcards: Mapping[str, str]) -> list[Step]:
        """The model files from the unconverted one to that which runs, or which TVM imports.

        Those before a repaired file, which was made to answer as the unconverted one, are left out.

        Raises:
            WorkflowError: see `cell`.
        """
        cell = self.cell(wildcards)
        last = routes.native_step(self._config, cell)
        if cell.compiled:
            last = inputs.imported(self._config, wildcards)
        names = [edge.name for edge in last.edges]
        first = len(names) - names[::-1].index(REPAIRED) if REPAIRED in names else 1
        counts = [0, *range(first, len(names) + 1)]
        return [replace(last, edges=last.edges[:count]) for count in counts]

    def files(self, study: str, wildcards: Mapping[str, str]) -> list[str]:
        """The paths of `steps`."""
        return [f"{study}/{step.path}" for step in self.steps(wildcards)]

    def records(self, study: str, wildcards: Mapping[str, str]) -> list[str]:
        """Their records."""
        return [layout.record(path) for path in self.files(study, wildcards)]

    def chain(self, wildcards: Mapping[str, str]) -> str:
        """What is known about each of `steps`, JSON."""
        found = []
        for step in self.steps(wildcards):
            edge = step.edges[-1] if step.edges else None
            found.append(
                {
                    "edge": edge.name if edge else "",
                    "converter": edge.converter if edge else "",
                    "settings": json.loads(edge.settings) if edge else {},
                    "framework": step.framework,
                }
            )
        return json.dumps(found, sort_keys=True)

    def manifests(self, wildcards: Mapping[str, str]) -> list[str]:
        """The manifests of the environments that run, trace or convert one of the files."""
        return sorted({layout.manifest(name) for name in self._environments(wildcards)})

    def _environments(self, wildcards: Mapping[str, str]) -> set[str]:
        frameworks = {step.framework for step in self.steps(wildcards)}
        traced = frameworks & set(tracers.names())
        if self.cell(wildcards).compiled:
            traced |= {runners.COMPILED}
        return (
            {runners.get(name).ENVIRONMENT for name in frameworks}
            | {tracers.get(name).ENVIRONMENT for name in traced}
            | {edge.environment for edge in self._edges(wildcards)}
        )

    def _edges(self, wildcards: Mapping[str, str]) -> list[Edge]:
        """The conversions between `steps`."""
        edges = [edge for step in self.steps(wildcards) for edge in step.edges[-1:]]
        return [edge for edge in edges if edge.name != REPAIRED]

    def modules(self, wildcards: Mapping[str, str]) -> list[str]:
        """The modules that the job and its processes load by name."""
        frameworks = sorted({step.framework for step in self.steps(wildcards)})
        kind = self._config["devices"][wildcards["device"]]["target"]["kind"]
        return [
            *("deltann.explain.answers", "deltann.explain.attempt", "deltann.explain.locate"),
            *("deltann.stages.trace", target_kinds.module(kind)),
            *(f"deltann.runners.{name}" for name in frameworks),
            *(f"deltann.tracers.{name}" for name in frameworks if name in tracers.names()),
            *(f"deltann.formats.{name}_segment" for name in frameworks if name in tracers.names()),
            *sorted({f"deltann.converters.{edge.converter}" for edge in self._edges(wildcards)}),
            f"deltann.tracers.{runners.COMPILED}",
        ]

    def runtime(self, wildcards: Mapping[str, str]) -> str:
        """What runs the cell, in words: `tflite's own runtime on cpu`."""
        cell = self.cell(wildcards)
        if cell.compiled:
            return f"TVM {cell.backend} on {cell.device}"
        settings = "" if cell.backend == NATIVE else f" with {cell.backend}"
        return f"{cell.target}'s own runtime{settings} on {cell.device}"

    def native_run(self, wildcards: Mapping[str, str]) -> list[str]:
        """The option that says that a framework runs the cell as it does by default."""
        cell = self.cell(wildcards)
        own = cell.backend == NATIVE and self._here(cell)
        return ["--native-run"] if own else []

    def compilation(self, wildcards: Mapping[str, str]) -> str:
        """Passes, schedule and target of a cell that can be compiled and run here, JSON.

        Empty for other cells.
        """
        cell = self.cell(wildcards)
        if not (cell.compiled and self._here(cell)):
            return "{}"
        described = {
            "passes": grid.pass_sets(self._config)[cell.backend],
            "schedule": cell.schedule,
            "target": self._config["devices"][cell.device]["target"],
        }
        return json.dumps(described, sort_keys=True)

    def _here(self, cell: Cell) -> bool:
        return device.is_processor(self._config["devices"][cell.device])

    def database_files(self, study: str, wildcards: Mapping[str, str]) -> dict[str, str]:
        """See `inputs.database_files`; the cell's level is its backend.

        Raises:
            WorkflowError: see `cell`.
        """
        return inputs.database_files(study, self._level(wildcards))

    def database_options(self, study: str, wildcards: Mapping[str, str]) -> list[str]:
        """See `inputs.database_options`.

        Raises:
            WorkflowError: see `cell`.
        """
        return inputs.database_options(study, self._level(wildcards))

    def _level(self, wildcards: Mapping[str, str]) -> dict[str, str]:
        return asdict(self.cell(wildcards)) | {"level": wildcards["backend"]}
