"""The stage at which a cell leaves its native model: its images, an edge, its runtime.

Every model file between the two answers the same images in its own runtime. Where consecutive
files differ, the edge between them is to blame, unless the files agree once nothing is fused.
"""

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from deltann import runners
from deltann.execution.isolation import Limits
from deltann.execution.session import Session, ToolFailed
from deltann.explain import SCHEDULE, operators
from deltann.explain.chain import Artefact, Images
from deltann.explain.compared import compare
from deltann.localise import remote
from deltann.localise.finding import Outcome
from deltann.precision import FLOAT32

# The tracer of what TVM makes of a file.
IMPORTER = runners.COMPILED


class Stage(StrEnum):
    """Where a difference enters."""

    IMAGES = "images"
    CONVERSION = "conversion"
    PRECISION = "precision"
    RUNTIME = "runtime"
    IMPORT = "import"
    PASSES = "passes"
    SCHEDULE = "schedule"
    DEVICE = "device"


@dataclass(frozen=True)
class Runtime:
    """What runs a cell.

    Attributes:
        name: as the cell's name says it.
        native: whether it is the framework's own runtime with its defaults.
        compiled: whether TVM compiled the cell.
        precision: what the cell computes in, as its prediction file says.
        cause: what made it so.
    """

    name: str
    native: bool
    compiled: bool
    precision: str
    cause: str


@dataclass
class Case:
    """A cell, its native one, and all that is between them.

    Attributes:
        chain: the model files, the unconverted one first.
        native, own: the images of the native cell and of this one.
        native_logits, own_logits: their answers, float32 (image, class).
        runtime: what runs the cell.
        limits: of each session.
        threads: of the runtimes.
    """

    chain: list[Artefact]
    native: Images
    own: Images
    native_logits: np.ndarray
    own_logits: np.ndarray
    runtime: Runtime
    limits: Limits
    threads: int
    _known: dict[tuple[int, bool], np.ndarray | ToolFailed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The answers that prediction files have needn't be asked for."""
        last = len(self.chain) - 1
        if self.runtime.native:
            self._known[last, self.same_images] = self.own_logits
        self._known[0, True] = self.native_logits

    @property
    def same_images(self) -> bool:
        """Whether both cells' models get the same numbers."""
        return self.native.same_as(self.own)

    def answers(self, number: int, native: bool = True) -> np.ndarray | ToolFailed:
        """What a file of the chain answers in its own runtime, float32 (image, class).

        Args:
            number: of the file.
            native: whether to the native cell's images, or to the cell's own.

        Returns:
            The logits, or why there are none.
        """
        key = number, native or self.same_images
        if key not in self._known:
            self._known[key] = self._asked(self.chain[number], self.native if native else self.own)
        return self._known[key]

    def _asked(self, artefact: Artefact, images: Images) -> np.ndarray | ToolFailed:
        print(f"running {artefact.name} in its own runtime", flush=True)
        python = remote.python(runners.get(artefact.framework).ENVIRONMENT)
        arguments = {
            "runner": artefact.framework,
            "model_file": str(artefact.path),
            "threads": self.threads,
        }
        try:
            with Session(python, "deltann.explain.answers", arguments, self.limits) as session:
                return session.call(
                    "answer", pixels=images.pixels, preprocessing=images.preprocessing
                )
        except ToolFailed as error:
            return error


def lowered(before: str, after: str) -> bool:
    """Whether a step took a model to a lower precision; an unknown one never counts."""
    return bool(before and after) and after not in (before, FLOAT32)


def row(stage: Stage, name: str, found: dict, why: str = "", **more: object) -> dict:
    """A row of the page's table of stages: see `compared.compare` for `found`."""
    return {"stage": stage.value, "name": name} | found | {"why": why} | more


def of_images(case: Case) -> list[dict]:
    """What the preparation of the images does: the last file with both cells' images."""
    if case.same_images:
        return []
    why = "; ".join(prepared_otherwise(case.native, case.own))
    last = len(case.chain) - 1
    right, wrong = case.answers(last), case.answers(last, native=False)
    for found in (right, wrong):
        if isinstance(found, ToolFailed):
            return [failed(Stage.IMAGES, "preparation of the images", found)]
    assert isinstance(right, np.ndarray) and isinstance(wrong, np.ndarray)
    alone = not compare(case.native_logits, right)["differs"]
    name = "preparation of the images"
    return [row(Stage.IMAGES, name, compare(right, wrong), why, alone=alone)]


def prepared_otherwise(native: Images, own: Images) -> list[str]:
    """In what two preparations differ, in words: `mean: 0, not 0.498`."""
    one, other = (asdict(item.convention) | {"resizer": item.resizer} for item in (native, own))
    return [
        f"{name}: {_text(other[name])}, not {_text(one[name])}"
        for name in one
        if one[name] != other[name]
    ]


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        numbers = [f"{item:.4g}" if isinstance(item, float) else str(item) for item in value]
        return numbers[0] if len(set(numbers)) == 1 else ", ".join(numbers)
    return str(value)


def failed(stage: Stage, name: str, error: ToolFailed) -> dict:
    """The row of a step that couldn't be looked at."""
    nothing = {"difference": None, "labels_changed": None, "images": None, "differs": None}
    return row(stage, name, nothing, f"not known: {error}")


def of_edges(case: Case) -> tuple[list[dict], list[dict], list[dict]]:
    """What each edge does, the localisations of those that change answers, and lost precision.

    A file that its own runtime can't run is left out: the edges around it count as one.
    """
    rows: list[dict] = []
    localisations: list[dict] = []
    lost: list[dict] = []
    before, start = case.native_logits, 0
    for number in range(1, len(case.chain)):
        after = case.answers(number)
        edges = [item.edge for item in case.chain[start + 1 : number + 1]]
        if isinstance(after, ToolFailed):
            rows.append(failed(Stage.CONVERSION, edges[-1], after))
            continue
        found, name = compare(before, after), " and ".join(edges)
        if found["differs"]:
            rows.append(_judged(case, (start, number), name, found, localisations, lost))
        else:
            rows.append(row(Stage.CONVERSION, name, found))
        before, start = after, number
    return rows, localisations, lost


def _judged(
    case: Case,
    between: tuple[int, int],
    name: str,
    found: dict,
    localisations: list[dict],
    lost: list[dict],
) -> dict:
    """The row of edges that change answers; their localisation or loss is added to a list.

    Args:
        between: numbers of the files before and after the edges.
    """
    source, target = (case.chain[number] for number in between)
    old, new = source.precision.name, target.precision.name
    if lowered(old, new):
        why = f"{old} becomes {new}"
        print(f"measuring what layers lose by {name}", flush=True)
        lost.append(operators.lost(source, target, case.native, case.limits))
        return row(Stage.PRECISION, name, found, why, losses=len(lost) - 1)
    print(f"locating what {name} changed", flush=True)
    located, described = operators.located(source, target, case.native, case.limits)
    localisations.append(described | {"edge": name})
    more: dict[str, Any] = {"localisation": len(localisations) - 1, "between": list(between)}
    if located is None or located.outcome != Outcome.SAME:
        return row(Stage.CONVERSION, name, found, **more)
    last = between[1] == len(case.chain) - 1
    if last and case.runtime.native and lowered(new, case.runtime.precision):
        why = f"{new} becomes {case.runtime.precision}: {case.runtime.cause}"
        return row(Stage.PRECISION, target.framework, found, why, **more)
    why = (
        f"run operator by operator, the files before and after {name} agree: what differs is how "
        f"the runtimes of {source.framework} and {target.framework} run them"
    )
    return row(Stage.RUNTIME, target.framework, found, why, **more)


def of_runtime(case: Case) -> list[dict]:
    """What a runtime with settings of the config's does to the last file."""
    if case.runtime.compiled or case.runtime.native:
        return []
    return [of_last(case, Stage.RUNTIME, case.runtime.name, case.own_logits)]


def of_last(case: Case, stage: Stage, name: str, logits: np.ndarray) -> dict:
    """How other answers to the cell's images differ from the last file's in its own runtime."""
    before = case.answers(len(case.chain) - 1, native=False)
    if isinstance(before, ToolFailed):
        return failed(stage, name, before)
    found = compare(before, logits)
    old, new = case.chain[-1].precision.name, case.runtime.precision
    if found["differs"] and lowered(old, new):
        return row(Stage.PRECISION, name, found, f"{old} becomes {new}: {case.runtime.cause}")
    return row(stage, name, found)


def of_import(case: Case, logits: np.ndarray, number: int) -> tuple[dict, list[dict]]:
    """The row of TVM's import of the last file, and its localisation if that changes answers.

    Args:
        logits: what the graph answers that no pass has changed.
        number: how many localisations there are already.
    """
    last = case.chain[-1]
    found = of_last(case, Stage.IMPORT, last.name, logits)
    if found["stage"] != Stage.IMPORT or not found["differs"]:
        return found, []
    print(f"locating what TVM's import of {last.name} changed", flush=True)
    graph = replace(last, edge=f"TVM's import of {last.name}", framework=IMPORTER)
    located, described = operators.located(last, graph, case.own, case.limits)
    if located is not None and located.outcome == Outcome.SAME:
        why = "run operator by operator, the file and what TVM imports agree"
        return found | {"why": why}, []
    return found | {"localisation": number}, [described]


def of_search(found: dict) -> list[dict]:
    """The rows of the passes and the schedule that a search blames.

    Args:
        found: the facts of `search.search`.
    """
    minimal = found["minimal"]
    if not minimal:
        return []
    (blamed,) = [item for item in found["sets"] if item["switches"] == minimal]
    scheduled = all(item.startswith(SCHEDULE) for item in minimal)
    effect = {
        "difference": blamed["difference"],
        "labels_changed": blamed["labels_moved"],
        "images": len(found["images"]),
        "differs": True,
    }
    return [row(Stage.SCHEDULE if scheduled else Stage.PASSES, " and ".join(minimal), effect)]
