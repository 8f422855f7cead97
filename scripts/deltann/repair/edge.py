"""Search, among all candidates, for a file that an edge should have made."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deltann import editors, tracers
from deltann.execution.session import ToolFailed
from deltann.explain.stages import lowered
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.localise import remote
from deltann.localise.finding import Localisation
from deltann.repair import by_edits, candidates, edit_sets
from deltann.repair.candidates import EDIT, Candidate, Conversion
from deltann.repair.elsewhere import Clock, Elsewhere, Made
from deltann.repair.judge import Judgement, judge

# How a candidate ended.
RIGHT, BETTER, NO_BETTER, FAILED = "accepted", "improved", "no better", "failed"
NOTHING, LOWERED = "nothing to change", "lowers the precision"
# Characters of a tool's message that a row has.
WHY = 300


@dataclass(frozen=True)
class Repair:
    """A file for an edge.

    Attributes:
        made: the file; the edge's own one if nothing helped.
        outcome: `RIGHT`, `BETTER` or `NO_BETTER`.
        kind: of the candidate; empty for the edge's own file.
        text: the candidate in words.
        candidate: None for edits, and for the edge's own file.
        edits: in words.
        before, after: judgements on the images that the search didn't see.
        seen: on those that it saw, which choose among candidates.
    """

    made: Made
    outcome: str
    kind: str
    text: str
    candidate: Candidate | None
    edits: tuple[str, ...]
    before: Judgement
    after: Judgement
    seen: Judgement


@dataclass
class Search:
    """The search at one edge.

    Args:
        elsewhere: runs what is tried.
        edge: its name.
        conversion: its converter and settings.
        before, after: the files before and behind it.
        tolerance: up to which logits count as the same.
    """

    elsewhere: Elsewhere
    edge: str
    conversion: Conversion
    before: Made
    after: Made
    tolerance: float
    rows: list[dict] = field(default_factory=list)
    localisation: Localisation | None = None

    def __post_init__(self) -> None:
        """The answers that are right, and those of the edge's own file."""
        self.expected = self.elsewhere.answers(self.before)
        self.wrong = self.elsewhere.answers(self.after)
        self.seen = self.elsewhere.shots.seen
        seen = judge(self.expected[: self.seen], self.wrong[: self.seen])
        held = judge(self.expected[self.seen :], self.wrong[self.seen :])
        self.best = Repair(self.after, NO_BETTER, "", "", None, (), held, held, seen)

    def run(self) -> Repair:
        """Try one candidate after the other, until one is accepted."""
        for candidate in candidates.of_edge(self.conversion.converter, self.conversion.settings):
            print(f"{self.edge}: trying {candidate.text}", flush=True)
            if self._tried(candidate):
                return self.best
        self._edit()
        return self.best

    def _tried(self, candidate: Candidate) -> bool:
        """Whether a candidate is accepted."""
        clock = Clock()
        try:
            made = self.elsewhere.make(candidate, self.before)
            if made is None:
                return self._row(candidate.kind, candidate.text, NOTHING, clock)
            if lowered(self.after.precision.name, made.precision.name):
                why = f"{self.after.precision.name} becomes {made.precision.name}"
                return self._row(candidate.kind, candidate.text, LOWERED, clock, why)
            given = self.elsewhere.answers(made)
        except ToolFailed as error:
            return self._row(candidate.kind, candidate.text, FAILED, clock, str(error))
        return self._judged(candidate.kind, candidate.text, made, given, clock, candidate)

    def _judged(
        self,
        kind: str,
        text: str,
        made: Made,
        given: np.ndarray,
        clock: Clock,
        candidate: Candidate | None = None,
        edits: Sequence[str] = (),
    ) -> bool:
        """Compare a candidate's answers with the right ones; keep it if it is the best."""
        seen, held = (
            judge(self.expected[part], given[part], self.wrong[part], self.tolerance)
            for part in (slice(0, self.seen), slice(self.seen, None))
        )
        right = seen.within(self.tolerance) and held.within(self.tolerance)
        before = self.best.before
        better = seen.better_than(self.best.seen) and held.better_than(before)
        better = better and not (seen.regressions or held.regressions)
        outcome = RIGHT if right else BETTER if better else NO_BETTER
        if right or better:
            changes = tuple(edits)
            self.best = Repair(made, outcome, kind, text, candidate, changes, before, held, seen)
        self._row(kind, text, outcome, clock, _why(seen, held, self.tolerance), seen, held)
        return right

    def _edit(self) -> None:
        """Edits of the edge's own file, as localisation names them."""
        clock = Clock()
        why = _cannot_edit(self.before.framework, self.after.framework)
        if why:
            self._row(EDIT, "edits of the converted file", FAILED, clock, why)
            return
        print(f"{self.edge}: looking for edits", flush=True)
        try:
            found = self._found()
            self.localisation = found.localisation
            for row in found.tried:
                self._edit_row(row)
            if not found.best.edits:
                why = "no difference that an edit could undo was found"
                why = found.localisation.why if found.localisation else why
                if not found.tried:
                    self._row(EDIT, "edits of the converted file", FAILED, clock, why)
                return
            made = Made(found.best.path, self.after.framework, self.after.precision)
            given = self.elsewhere.answers(made)
        except ToolFailed as error:
            self._row(EDIT, "edits of the converted file", FAILED, clock, str(error))
            return
        words = [edit_sets.described(item) for item in found.best.edits]
        text = "; ".join(words) + (" (none can be left out)" if found.best.fixed else "")
        self._judged(EDIT, text, made, given, clock, edits=words)

    def _found(self) -> by_edits.Search:
        """See `by_edits.search`."""
        elsewhere = self.elsewhere
        convention = Preprocessing(**elsewhere.preprocessing)
        folder = Path(tempfile.mkdtemp(prefix="edits-", dir=elsewhere.folder))
        with remote.open_tracer(self.before.framework, self.before.path) as source:
            order = layout(source.input_shape, convention)
            given = [normalise(image, convention, order) for image in elsewhere.shots.pixels]
            framework, path = self.after.framework, self.after.path
            return by_edits.search(
                source, framework, path, given, folder, self.seen, self.tolerance
            )

    def _edit_row(self, row: dict) -> None:
        self.rows.append(
            {
                "kind": EDIT,
                "candidate": "; ".join(row["edits"]) or "localisation",
                "outcome": row["outcome"],
                "why": row["why"],
                "search": None,
                "held_out": None,
                "all": {"labels": row["labels"], "difference": row["difference"]},
                "seconds": row["seconds"],
            }
        )

    def _row(
        self,
        kind: str,
        text: str,
        outcome: str,
        clock: Clock,
        why: str = "",
        seen: Judgement | None = None,
        held: Judgement | None = None,
    ) -> bool:
        """Note a candidate; always False, for a candidate that isn't accepted."""
        why = (why.strip().splitlines() or [""])[0][:WHY]
        self.rows.append(
            {
                "kind": kind,
                "candidate": text,
                "outcome": outcome,
                "why": why,
                "search": seen.facts() if seen else None,
                "held_out": held.facts() if held else None,
                "all": None,
                "seconds": clock.seconds(),
            }
        )
        print(f"  {outcome} {why}", flush=True)
        return False


def _why(seen: Judgement, held: Judgement, tolerance: float) -> str:
    """Why a candidate isn't accepted; empty if it is."""
    for judged, what in ((seen, "of the search"), (held, "that the search did not see")):
        if judged.labels:
            return f"the label of {judged.labels} of {judged.images} images {what} is wrong"
        if judged.regressions:
            return f"{judged.regressions} of {judged.images} images {what} agreed before"
        if judged.difference > tolerance:
            return f"logits of images {what} are {judged.difference:.2g} of the largest off"
    return ""


def _cannot_edit(source: str, target: str) -> str:
    """Why files of the second framework can't be edited by what the first one's say; else empty."""
    for framework in (source, target):
        if framework not in tracers.names():
            return f"the operators of {framework} files can't be read"
    return "" if target in editors.names() else f"{target} files can't be edited"
