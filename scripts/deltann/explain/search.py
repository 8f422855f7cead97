"""The search: from a cell whose answers left the native ones to passes and a kernel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann.execution import stage
from deltann.explain import SCHEDULE, ddmin
from deltann.explain.attempts import Attempt, Attempts
from deltann.explain.tensors import difference
from deltann.tolerance import TOLERANCE
from deltann.tvm.target_kinds.llvm import PACKED

# Images that are looked at, at most.
IMAGES = 4
LABELS, LOGITS = "labels", "logits"
PACK_OPERATORS = "PackOperators"


@dataclass(frozen=True)
class Case:
    """What is to be explained.

    Attributes:
        switches: the cell's passes, and `schedule <name>` if it has one.
        images: names of the images that are looked at.
        native: the native cell's logits for them, float32 (image, class).
        compiled: the cell's.
    """

    switches: tuple[str, ...]
    images: tuple[str, ...]
    native: np.ndarray
    compiled: np.ndarray


def relative(reference: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Each image's largest difference of a logit over its largest logit, float64 (image,).

    As `metrics.logit_difference`, but infinite where a logit isn't finite.
    """
    return np.array([difference(a, b).relative for a, b in zip(reference, logits, strict=True)])


def top(logits: np.ndarray) -> np.ndarray:
    """Each image's most probable class, int64 (image,)."""
    return np.argmax(logits, axis=1)


def chosen(native: np.ndarray, compiled: np.ndarray) -> np.ndarray:
    """Which images tell most of a difference between two cells.

    Args:
        native: logits, float32 (image, class).
        compiled: the same of the other cell.

    Returns:
        Numbers of the images whose labels differ, at most `IMAGES`, those with the largest
        relative difference of a logit first; where no label differs, the one image with the
        largest.
    """
    order = np.argsort(-relative(native, compiled), kind="stable")
    differ = top(native) != top(compiled)
    return order[differ[order]][:IMAGES] if differ.any() else order[:1]


class Criterion:
    """Whether a set of switches fails: what a difference is, and from what.

    It is one of labels where the cell's labels differ from the native ones and, on the same
    image, from the reference's; otherwise one of logits, by more than `TOLERANCE`.
    """

    def __init__(self, case: Case, reference: np.ndarray, whole: np.ndarray) -> None:
        self.reference = reference
        moved = top(reference) != top(whole)
        self.images = moved & (top(case.native) != top(case.compiled))
        self.name = LABELS if self.images.any() else LOGITS

    def judged(self, switches: tuple[str, ...], found: Attempt) -> dict:
        """A set's row in the page."""
        row = {"switches": list(switches), "error": found.error}
        if found.logits is None:
            return row | {"fails": False, "difference": None, "labels_moved": None}
        far = float(relative(self.reference, found.logits).max())
        moved = top(self.reference) != top(found.logits)
        fails = bool((moved & self.images).any()) if self.name == LABELS else far > TOLERANCE
        return row | {"fails": fails, "difference": storable(far), "labels_moved": int(moved.sum())}


def storable(number: float) -> float | None:
    """A number as JSON holds it: None where it isn't finite."""
    return float(number) if np.isfinite(number) else None


def explain(case: Case, attempts: Attempts) -> dict:
    """Find the smallest failing set of switches and its kernel.

    Returns:
        The facts that `page` shows, JSON-able.

    Raises:
        StudyError: the model, or the cell, can't be compiled and run again.
        Transient: the same, by what may be the machine's fault.
    """
    reference = attempts.needed(())
    whole = attempts.needed(case.switches)
    criterion = Criterion(case, reference.logits, whole.logits)
    rows: dict[tuple[str, ...], dict] = {(): criterion.judged((), reference)}

    def fails(part: tuple[str, ...]) -> bool:
        rows[part] = criterion.judged(part, attempts.attempt(part))
        return rows[part]["fails"]

    minimal = ddmin.minimal(case.switches, fails) if fails(case.switches) else ()
    found = _kernel(minimal, criterion, attempts) if minimal else {}
    rows |= found.pop("rows", {})
    before = relative(case.native, reference.logits)
    again = relative(case.compiled, whole.logits)
    return {
        "images": _images(case, reference.logits),
        "labels_differ": bool((top(case.native) != top(case.compiled)).any()),
        "criterion": criterion.name,
        "tolerance": TOLERANCE,
        "before_passes": {
            "difference": storable(before.max()),
            "labels_differ": int((top(case.native) != top(reference.logits)).sum()),
            "differs": bool(before.max() > TOLERANCE),
        },
        "reproduced": {
            "difference": storable(again.max()),
            "same": bool(again.max() <= TOLERANCE),
        },
        "switches": list(case.switches),
        "sets": list(rows.values()),
        "minimal": list(minimal),
        "kernel": None,
    } | found


def _images(case: Case, reference: np.ndarray) -> list[dict]:
    answers = {"native": case.native, "reference": reference, "compiled": case.compiled}
    far = {name: relative(case.native, logits) for name, logits in answers.items()}
    rows = []
    for number, name in enumerate(case.images):
        row: dict = {"image": name}
        for who, logits in answers.items():
            second, first = np.sort(logits[number])[-2:]
            row[who] = {
                "label": int(top(logits)[number]),
                "margin": storable(first - second),
                "difference": storable(far[who][number]),
            }
        rows.append(row)
    return rows


def _kernel(minimal: tuple[str, ...], criterion: Criterion, attempts: Attempts) -> dict:
    """The kernel at which a failing set leaves what it is compared with."""
    failing, reference = attempts.attempt(minimal), attempts.attempt(())
    rows, against = {}, "the reference"
    passes = tuple(item for item in minimal if not item.startswith(SCHEDULE))
    if passes != minimal:
        # a schedule comes with kernels of its own: is it they, or what it makes of them?
        kernels = attempts.attempt(passes, PACKED)
        row = criterion.judged((*passes, PACK_OPERATORS), kernels)
        rows[(*passes, PACK_OPERATORS)] = row
        if not row["fails"] and not row["error"]:
            reference, against = kernels, "the same graph, unscheduled"
    far = relative(reference.logits, failing.logits)
    image = int(np.argmax(np.where(criterion.images, far, -1) if criterion.images.any() else far))
    pixels = failing.folder / "image.npy"
    whole = np.load(attempts.run["pixels"], allow_pickle=False)
    np.save(pixels, whole[image : image + 1])
    arguments = attempts.run | {"pixels": str(pixels)}
    arguments |= {"reference": str(reference.folder), "failing": str(failing.folder)}
    arguments["aligned"] = against != "the reference"
    outcome = _located(arguments, attempts, failing.folder)
    return {"rows": rows, "compared_with": against} | outcome


def _located(arguments: dict, attempts: Attempts, folder: Path) -> dict:
    outcome = stage.start("deltann.explain.locate", arguments, attempts.limits, folder).wait()
    failure = outcome.failure
    if failure:
        return {"kernel": None, "kernel_error": f"{failure.type}: {failure.message}"}
    return outcome.result
