"""What the rule `repair` reads, by the names of its cell."""

from collections.abc import Mapping

from snakemake.exceptions import WorkflowError

from deltann import converters, device, editors, runners, tracers
from deltann.cell import NATIVE, RULES, TUNED, Cell
from deltann.study import grid, layout, preparations, routes
from deltann.tvm import target_kinds
from deltann.workflow.explained import Explained

# A repair tries up to so many conversions, and each may take the time of one.
CONVERSIONS = 10
# Where ONNX files are rewritten before a conversion.
ONNX = "onnx"


class Repaired(Explained):
    """The cells that can be repaired: those of converted models, on this machine's processor."""

    def cell(self, wildcards: Mapping[str, str]) -> Cell:
        """The cell that wildcards name.

        Raises:
            WorkflowError: the study has no such cell, or there is nothing to repair.
        """
        named = super().cell(wildcards)
        if not device.is_processor(self._config["devices"][named.device]):
            raise WorkflowError(
                f"{named}: repaired files are verified on this machine's processor, which device"
                f" {named.device} isn't; expected a cell of another device"
            )
        if routes.REPAIRED in named.route.split("+"):
            raise WorkflowError(
                f"{named} is of a repaired file already; expected a cell of the route before"
                f" {routes.REPAIRED}"
            )
        return named

    def of_route(self, wildcards: Mapping[str, str]) -> Cell:
        """The cell whose repair makes the file of a route that ends in `routes.REPAIRED`.

        Args:
            wildcards: with `model`, `source`, and the route as `slug`.

        Raises:
            WorkflowError: the study has no cell that could be repaired.
        """
        model, source = wildcards["model"], wildcards["source"]
        route = wildcards["slug"].removesuffix(f"+{routes.REPAIRED}")
        for cell in self._cells:
            named = (cell.model, cell.source, cell.route, cell.backend)
            here = device.is_processor(self._config["devices"][cell.device])
            if named == (model, source, route, NATIVE) and here:
                return cell
        raise WorkflowError(
            f"{model} from {source} by {route} has no cell in its own runtime on this machine's"
            f" processor, by which it could be repaired; expected {NATIVE} among backends, and a"
            " device with native: true"
        )

    def manifests(self, wildcards: Mapping[str, str]) -> list[str]:
        """Of the environments without which nothing can be repaired; candidates may need others.

        Raises:
            WorkflowError: see `cell`, or nothing converted the cell's model.
        """
        steps = self.steps(wildcards)
        if len(steps) == 1:
            raise WorkflowError(
                f"{self.cell(wildcards)} is of an unconverted model: there is no file to repair;"
                " expected a cell behind a converter"
            )
        names = {step.edges[-1].environment for step in steps if step.edges}
        own = {layout.manifest(name) for name in names | {self.tvm_environment, ONNX}}
        return sorted({*super().manifests(wildcards), *own})

    def modules(self, wildcards: Mapping[str, str]) -> list[str]:
        """The modules that the job and its processes load by name."""
        steps = self.steps(wildcards)
        frameworks = sorted({step.framework for step in steps})
        kind = self._config["devices"][wildcards["device"]]["target"]["kind"]
        names = {step.edges[-1].converter for step in steps if step.edges}
        return [
            *("deltann.repair.served", "deltann.stages.trace", "deltann.stages.edit"),
            target_kinds.module(kind),
            *(f"deltann.converters.{name}" for name in sorted(names)),
            *(f"deltann.runners.{name}" for name in (*frameworks, runners.COMPILED)),
            *(f"deltann.tracers.{name}" for name in frameworks if name in tracers.names()),
            *(f"deltann.editors.{name}" for name in frameworks if name in editors.names()),
        ]

    def calibration(self, study: str, wildcards: Mapping[str, str]) -> dict[str, str]:
        """The calibration images, as an input by name, if a converter of the route takes any."""
        cell = self.cell(wildcards)
        taken = [step.edges[-1].converter for step in self.steps(wildcards) if step.edges]
        if not any(converters.calibrates(name) for name in taken):
            return {}
        native = preparations.native(self._config, cell.model, cell.source)
        return {"calibration": f"{study}/{layout.calibration(grid.geometry(native))}"}

    def calibration_options(self, study: str, wildcards: Mapping[str, str]) -> list[str]:
        """The options by which scripts/repair.py gets them."""
        cell, path = self.cell(wildcards), self.calibration(study, wildcards).get("calibration")
        if path is None:
            return []
        native = preparations.native(self._config, cell.model, cell.source)
        return [f"--calibration={path}", f"--calibration-preprocessing={grid.to_json(native)}"]

    @property
    def tvm_environment(self) -> str:
        """The environment of the study's first version of TVM."""
        return next(iter(self._config["compilers"].values()))

    @property
    def schedule(self) -> str:
        """The study's first schedule that needs no tuning."""
        return next((item for item in self._config["schedules"] if item != TUNED), RULES)


def patient(config: dict) -> dict:
    """The config, with the limits of a whole repair in place of those of one conversion."""
    limit = config["limits"]["convert"]
    limit = limit | {"seconds": CONVERSIONS * limit["seconds"]}
    return config | {"limits": config["limits"] | {"convert": limit}}
