"""Repair a converted file by edits: those that localisation names for each fault."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deltann.edits import Edit, Impossible
from deltann.execution.session import ToolFailed
from deltann.localise import remote
from deltann.localise.finding import Localisation, Outcome
from deltann.repair.edit_sets import row, sets
from deltann.repair.judge import Judgement, judge
from deltann.repair.traced import answers, fitted
from deltann.steps import Tracer
from deltann.tolerance import TOLERANCE

# Images that the search sees; how often the file is localised, edited and localised again.
SEARCHED, ROUNDS = 5, 4
# What may happen to a candidate, and is its outcome.
FAILURES = (ToolFailed, Impossible)


def _localise(source: Tracer, target: Tracer, images: Sequence[np.ndarray]) -> Localisation:
    from deltann.localise import localise

    given = np.stack([fitted(image, source.input_shape) for image in images])
    return localise.localise(source, target, given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Tools:
    """How files are opened, edited and compared; tests have others."""

    open_tracer: Callable[[str, Path], Any] = remote.open_tracer
    open_editor: Callable[[str], Any] = remote.RemoteEditor
    localise: Callable[..., Localisation] = _localise


@dataclass
class Edited:
    """A file with edits.

    Attributes:
        path: the file.
        rounds: lists of edits, each of the file that those before it made.
        seen: on the images of the search, which choose among files.
        fixed: whether it answers as the source does, on the images of the search and the others.
    """

    path: Path
    rounds: list[list[Edit]]
    seen: Judgement
    fixed: bool = False

    @property
    def edits(self) -> list[Edit]:
        """All edits, in the order in which they are made."""
        return [edit for changes in self.rounds for edit in changes]


@dataclass
class Search:
    """What a search for edits found.

    Attributes:
        localisation: of the file as it was; None if a tool failed in it.
        best: the nearest to the source; the file as it was, with no edits, if nothing helped.
        tried: a row per set of edits: `edits` in words, `outcome`, `why`, `labels`, `difference`,
            `seconds`.
    """

    localisation: Localisation | None
    best: Edited
    tried: list[dict] = field(default_factory=list)


def repair(
    source: Tracer,
    framework: str,
    converted: Path,
    images: Sequence[np.ndarray],
    folder: Path,
    tools: Tools | None = None,
) -> tuple[Path | None, list[Edit], Localisation | None]:
    """Localise the faults of a converted file, edit it, verify the result, drop needless edits.

    Args:
        source: an open tracer of the file that was converted.
        framework: of the converted file.
        converted: the file.
        images: float32, in the source's or the target's layout. The search sees the first
            `SEARCHED` (half of them, if there are fewer than twice as many); all of them accept.
        folder: for the edited files.
        tools: other than the usual ones.

    Returns:
        The repaired file, None if it could not be repaired; the edits that made it; and what was
        localised in the file as it was, None if a tool failed in it.
    """
    found = search(source, framework, converted, images, folder, tools=tools)
    repaired = found.best if found.best.fixed else None
    return (
        repaired.path if repaired else None,
        repaired.edits if repaired else [],
        found.localisation,
    )


def search(
    source: Tracer,
    framework: str,
    converted: Path,
    images: Sequence[np.ndarray],
    folder: Path,
    seen: int = SEARCHED,
    tolerance: float = TOLERANCE,
    tools: Tools | None = None,
) -> Search:
    """As `repair`, with all that was tried; `seen` images are for the search.

    Raises:
        ToolFailed: the source, or the file as it was, can't be run.
    """
    tools = tools or Tools()
    seen = min(seen, max(1, len(images) // 2))
    with ExitStack() as stack:
        editor = stack.enter_context(tools.open_editor(framework))
        work = _Work(source, framework, converted, list(images), folder, seen, tools, editor)
        work.tolerance = tolerance
        return work.search()


class _Work:
    """The search under way."""

    def __init__(
        self,
        source: Tracer,
        framework: str,
        converted: Path,
        images: list[np.ndarray],
        folder: Path,
        seen: int,
        tools: Tools,
        editor: Any,
    ):
        self.source, self.framework, self.converted = source, framework, converted
        self.images, self.folder, self.seen = images, folder, seen
        self.tools, self.editor = tools, editor
        self.tolerance, self.number = TOLERANCE, 0
        self.tried: list[dict] = []
        self.expected = answers(source, images)
        self.before = self.run(converted)

    def run(self, path: Path) -> np.ndarray:
        """A file's answers to all images: it is loaded anew, in a process of its own."""
        with self.tools.open_tracer(self.framework, path) as tracer:
            return answers(tracer, self.images)

    def search(self) -> Search:
        """Localise and edit, round after round."""
        state = Edited(self.converted, [], self.judged(self.before))
        best, first = state, None
        for number in range(ROUNDS):
            found = self.localised(state.path)
            first = found if number == 0 else first
            if found is None or found.outcome in (Outcome.SAME, Outcome.ABSTAINED):
                break
            better = self.round(state, found)
            if better is None:
                break
            state = better
            if state.seen.better_than(best.seen):
                best = state
            if state.fixed:
                best = self.minimal(state)
                break
        return Search(first, best, self.tried)

    def localised(self, path: Path) -> Localisation | None:
        """What differs between the source and a file, by the images of the search."""
        try:
            with self.tools.open_tracer(self.framework, path) as target:
                return self.tools.localise(self.source, target, self.images[: self.seen])
        except ToolFailed as error:
            self.tried.append(row([], "failed", f"localisation: {error}", None, 0.0))
            return None

    def round(self, state: Edited, found: Localisation) -> Edited | None:
        """The first set of edits after which the file is right, else the best, else the first."""
        made: list[Edited] = []
        for changes in sets(found):
            edited = self.attempt([*state.rounds, changes])
            if edited and edited.fixed:
                return edited
            made += [edited] if edited else []
        if not made:
            return None
        best = min(made, key=_distance)
        # of two faults, the repair of one may bring the answers no nearer
        return best if _distance(best) < _distance(state) else made[0]

    def attempt(self, rounds: list[list[Edit]]) -> Edited | None:
        """Edit, load and run a file; None if that fails."""
        start, last = time.monotonic(), rounds[-1]
        try:
            path = self.applied(rounds)
            given = self.run(path)
        except FAILURES as error:
            self.tried.append(row(last, "failed", str(error), None, time.monotonic() - start))
            return None
        seen = self.judged(given)
        whole = judge(self.expected, given, self.before, self.tolerance)
        fixed = seen.within(self.tolerance) and whole.within(self.tolerance)
        why = "" if fixed or not seen.within(self.tolerance) else "other images still differ"
        outcome = "right" if fixed else "still differs"
        self.tried.append(row(last, outcome, why, whole, time.monotonic() - start))
        return Edited(path, rounds, seen, fixed)

    def judged(self, given: np.ndarray) -> Judgement:
        """Answers on the images of the search."""
        return judge(self.expected[: self.seen], given[: self.seen])

    def applied(self, rounds: list[list[Edit]]) -> Path:
        """A new file with these edits, list after list: each names what is in the file then."""
        path, suffix = self.converted, "".join(self.converted.suffixes[-2:])
        for changes in rounds:
            self.number += 1
            made = self.folder / f"edited-{self.number}{suffix}"
            self.editor.apply(path, changes, made)
            path = made
        return path

    def minimal(self, state: Edited) -> Edited:
        """Without the edits that can be left out: tried one by one, each on all images."""
        for place in range(len(state.rounds)):
            number = 0
            while number < len(state.rounds[place]) and len(state.edits) > 1:
                fewer = [list(changes) for changes in state.rounds]
                del fewer[place][number]
                without = self.attempt_without(fewer)
                state, number = (without, number) if without else (state, number + 1)
        return state

    def attempt_without(self, rounds: list[list[Edit]]) -> Edited | None:
        """The file with fewer edits, if it is still right."""
        try:
            path = self.applied([changes for changes in rounds if changes])
            given = self.run(path)
        except FAILURES:
            return None
        whole = judge(self.expected, given, self.before, self.tolerance)
        right = whole.within(self.tolerance)
        return Edited(path, rounds, self.judged(given), True) if right else None


def _distance(edited: Edited) -> tuple[float, float]:
    return edited.seen.labels, edited.seen.difference
