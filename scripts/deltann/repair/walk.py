"""Along the route of a cell, edge by edge: repair each one that changes answers."""

from dataclasses import dataclass, field

import numpy as np

from deltann import tracers
from deltann.errors import StudyError
from deltann.execution.session import ToolFailed
from deltann.explain.chain import Artefact
from deltann.explain.stages import lowered
from deltann.localise import remote
from deltann.localise.finding import Localisation
from deltann.repair import changes
from deltann.repair.candidates import Candidate, Conversion
from deltann.repair.edge import NO_BETTER, Repair, Search
from deltann.repair.elsewhere import Elsewhere, Made
from deltann.repair.judge import Judgement, judge
from deltann.repair.outcomes import UNREPAIRABLE
from deltann.tolerance import TOLERANCE
from deltann.tvm.importers import IMPORTS
from deltann.tvm.levels import LEVELS

# At each level, a repaired file must give the same answers on so many images.
COMPILED_IMAGES = 4


@dataclass
class Walk:
    """The way along a route.

    Attributes:
        chain: its model files, the unconverted one first.
        elsewhere: runs what is tried.
        edges, repairs: rows of the page.
        ways: by edge, how its file is made now; None for edits.
        current: the file at which the way has arrived.
        repaired: whether something was repaired on the way.
        unjudged: edges before this place whose files don't run.
        broken: why the way doesn't reach the end; empty if it does.
    """

    chain: list[Artefact]
    elsewhere: Elsewhere
    edges: list[dict] = field(default_factory=list)
    repairs: list[dict] = field(default_factory=list)
    ways: list[tuple[str, Conversion | Candidate | None]] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    repaired: bool = False
    broken: str = ""

    def __post_init__(self) -> None:
        """Start at the unconverted model.

        Raises:
            StudyError: it doesn't run.
        """
        self.made = [Made(item.path, item.framework, item.precision) for item in self.chain]
        self.current = self.made[0]
        try:
            self.elsewhere.answers(self.current, movement=True)
        except ToolFailed as error:
            raise StudyError(
                f"{self.current.path}: the unconverted model failed: {error}"
            ) from error
        self.tolerance = max(TOLERANCE, self.elsewhere.movements[self.current.path])

    def run(self) -> None:
        """Go along all edges."""
        for number in range(1, len(self.chain)):
            if not self._edge(number):
                return

    def _edge(self, number: int) -> bool:
        """Judge the file of an edge and repair it; False if the route ends here."""
        artefact = self.chain[number]
        conversion = Conversion(artefact.converter, artefact.settings)
        own = self.made[number]
        try:
            if self.repaired:  # from a file that the edge hasn't seen yet
                own = self.elsewhere.convert(conversion, self.current, artefact.edge)
            expected, given = self.elsewhere.answers(self.current), self.elsewhere.answers(own)
        except ToolFailed as error:
            self._row(artefact, None, f"can't be judged: {error}")
            self.ways.append((artefact.edge, conversion))
            if self.repaired:  # the study's own file has nothing of the repair
                self.broken = f"{artefact.edge} failed on the repaired file: {error}"
                return False
            self.unjudged.append(artefact.edge)  # the next file is compared with the one before
            return True
        found = judge(expected, given)
        why, right = "", found.within(self.tolerance)
        old, new = self.current.precision.name, own.precision.name
        low = lowered(old, new)
        if low:
            why = f"{old} becomes {new}: a loss that was asked for, not a fault"
        elif right:
            why = "the same answers, up to rounding"
        together, self.unjudged = [*self.unjudged, artefact.edge], []
        if len(together) > 1:
            why = f"{' and '.join(together)} together: {why or UNREPAIRABLE}"
        self._row(artefact, found.facts(), why or "changes answers: to be repaired", low)
        if len(together) > 1 and not (low or right):
            self.repairs.append(_unrepairable(" and ".join(together), found))
        if why:
            self.current = own
            self.ways.append((artefact.edge, conversion))
            return True
        search = Search(
            self.elsewhere, artefact.edge, conversion, self.current, own, self.tolerance
        )
        self._repaired(artefact, conversion, search, search.run())
        return True

    def _repaired(
        self, artefact: Artefact, conversion: Conversion, search: Search, found: Repair
    ) -> None:
        helped = found.outcome != NO_BETTER
        self.repairs.append(
            {
                "edge": artefact.edge,
                "outcome": found.outcome,
                "kind": found.kind,
                "candidate": found.text,
                "edits": list(found.edits),
                "before": found.before.facts(),
                "after": found.after.facts(),
                "candidates": search.rows,
                "localisation": _in_words(search.localisation),
            }
        )
        self.current, self.repaired = found.made, self.repaired or helped
        self.ways.append((artefact.edge, found.candidate if helped else conversion))

    def _row(self, artefact: Artefact, found: dict | None, why: str, lowers: bool = False) -> None:
        nothing = {"images": len(self.elsewhere.shots.names), "labels": None, "difference": None}
        judged = found or nothing
        self.edges.append(
            {
                "edge": artefact.edge,
                "converter": artefact.converter,
                "lowers_precision": lowers,
                "why": why,
                **{key: judged[key] for key in ("images", "labels", "difference")},
            }
        )

    def final(self) -> dict:
        """The whole route before and after, on the images that the search didn't see.

        Raises:
            ToolFailed: the repaired file doesn't run.
        """
        seen = self.elsewhere.shots.seen
        native, after = (
            self.elsewhere.answers(item)[seen:] for item in (self.made[0], self.current)
        )
        try:
            before = self.elsewhere.answers(self.made[-1])[seen:]
        except ToolFailed:
            before = np.empty((0, 0), native.dtype)  # it gives no answers
        old, new = judge(native, before), judge(native, after, before, self.tolerance)
        better = new.within(self.tolerance) or new.better_than(old)
        return {"before": old.facts(), "after": new.facts(), "better": better}

    def compiled(self, compilation: dict, environment: str) -> tuple[dict, str]:
        """What TVM's libraries of the repaired file answer, by level; or why there are none.

        Args:
            compilation: `target` and `schedule`.
            environment: TVM's.
        """
        if self.current.framework not in IMPORTS:
            return {}, f"it doesn't import {self.current.framework} files without another converter"
        own = self.elsewhere.answers(self.current)[:COMPILED_IMAGES]
        found = {}
        for level, passes in LEVELS.items():
            given = compilation | {"passes": list(passes)}
            print(f"compiling the repaired file at {level}", flush=True)
            try:
                answers = self._compile(self.current, given, environment)
                judged = judge(own, answers)
                same = judged.within(self.tolerance)
                before = not same and self._differed_before(given, environment)
                found[level] = {"same": same or before, "before": before, "error": ""}
                found[level] |= judged.facts()
            except ToolFailed as error:
                found[level] = self._refused(error, given, environment)
        return found, ""

    def _compile(self, made: Made, given: dict, environment: str) -> np.ndarray:
        return self.elsewhere.compiled(made, given, environment, COMPILED_IMAGES)

    def _differed_before(self, given: dict, environment: str) -> bool:
        """Whether TVM's library of the file before also answers otherwise than the file itself."""
        old = self.made[-1]
        try:
            own = self.elsewhere.answers(old)[:COMPILED_IMAGES]
            return not judge(own, self._compile(old, given, environment)).within(self.tolerance)
        except ToolFailed:
            return False

    def _refused(self, error: ToolFailed, given: dict, environment: str) -> dict:
        """A level at which TVM fails: no matter of the repair, if it fails on the old file too."""
        try:
            self._compile(self.made[-1], given, environment)
            text, same = f"fails, and compiled the file before: {error}", False
        except ToolFailed:
            text, same = f"fails, as on the file before: {error}", True
        judged = {"difference": None, "labels": None, "images": 0}
        return {"same": same, "before": same, "error": text} | judged

    def changed(self) -> tuple[list[dict], str]:
        """What the file at the end has otherwise than the study's; or why that isn't known."""
        old, new = self.made[-1], self.current
        if new.framework not in tracers.names():
            return [], f"the operators of {new.framework} files can't be read"
        try:
            lists = []
            for item in (old, new):
                with remote.open_tracer(item.framework, item.path) as tracer:
                    lists.append(tracer.operators())
        except ToolFailed as error:
            return [], str(error)
        return changes.between(*lists), ""


def _unrepairable(edges: str, found: Judgement) -> dict:
    """The row of edges that change answers together, and for which nothing can be tried."""
    return {
        "edge": edges,
        "outcome": NO_BETTER,
        "kind": "",
        "candidate": "",
        "edits": [],
        "before": found.facts(),
        "after": found.facts(),
        "candidates": [],
        "localisation": "",
    }


def _in_words(found: Localisation | None) -> str:
    """What localisation said, in a sentence or two."""
    if found is None:
        return ""
    faults = [
        f"{next(iter(item.ranked), '')}: {item.differences[0].what} ({item.verdict.value})"
        for item in found.faults
        if item.differences
    ]
    return "; ".join([f"{found.outcome.value}, {found.why}", *faults])
