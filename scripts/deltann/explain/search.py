"""Search the passes and the kernel at which a cell's answers leave the native ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deltann.execution import stage
from deltann.explain import SCHEDULE, ddmin
from deltann.explain.attempts import Attempt, Attempts
from deltann.explain.compared import images, relative, storable, top
from deltann.tolerance import TOLERANCE
from deltann.tvm.target_kinds.llvm import PACKED

# At most so many images are compared.
IMAGES = 4
LABELS, LOGITS = "labels", "logits"
PACK_OPERATORS = "PackOperators"


@dataclass(frozen=True)
class Case:
    """The difference to explain.

    Attributes:
        switches: the cell's passes, and `schedule <name>` if it has one.
        images: names of the images that are compared.
        native: the native cell's logits for them, float32 (image, class).
        compiled: the cell's logits, likewise.
    """

    switches: tuple[str, ...]
    images: tuple[str, ...]
    native: np.ndarray
    compiled: np.ndarray


def chosen(native: np.ndarray, compiled: np.ndarray) -> np.ndarray:
    """The images that show most of a difference between two cells.

    Args:
        native: the native cell's logits, float32 (image, class).
        compiled: the compiled cell's logits, likewise.

    Returns:
        Numbers of at most `IMAGES` images whose labels differ, the largest relative logit
        difference first. If no label differs, the one image with the largest difference.
    """
    order = np.argsort(-relative(native, compiled), kind="stable")
    differ = top(native) != top(compiled)
    return order[differ[order]][:IMAGES] if differ.any() else order[:1]


class Criterion:
    """Decides whether a set of switches fails.

    If on some image the cell's label differs from both the native one and the reference's, a set
    fails if it changes the label of such an image. Otherwise it fails if it changes logits by more
    than `TOLERANCE`.

    Args:
        case: the difference to explain.
        reference: logits without passes and schedule, float32 (image, class).
        whole: logits with all of the cell's switches, likewise.
    """

    def __init__(self, case: Case, reference: np.ndarray, whole: np.ndarray) -> None:
        self.reference = reference
        moved = top(reference) != top(whole)
        self.images = moved & (top(case.native) != top(case.compiled))
        self.name = LABELS if self.images.any() else LOGITS

    def judge(self, switches: tuple[str, ...], attempt: Attempt) -> dict:
        """A set's row in the page."""
        row = {"switches": list(switches), "error": attempt.error}
        if attempt.logits is None:
            return row | {"fails": False, "difference": None, "labels_moved": None}
        far = float(relative(self.reference, attempt.logits).max())
        moved = top(self.reference) != top(attempt.logits)
        fails = bool((moved & self.images).any()) if self.name == LABELS else far > TOLERANCE
        return row | {"fails": fails, "difference": storable(far), "labels_moved": int(moved.sum())}


def search(case: Case, attempts: Attempts) -> tuple[dict, np.ndarray]:
    """Find the smallest failing set of switches and its kernel.

    Returns:
        The facts that `page` shows, JSON-able; and the logits of the reference, which is compiled
        without passes and schedule, float32 (image, class).

    Raises:
        StudyError: the model or the cell can't be compiled and run again.
        Transient: the same, if the machine may be at fault.
    """
    reference = attempts.needed(())
    whole = attempts.needed(case.switches)
    criterion = Criterion(case, reference.answers(), whole.answers())
    rows: dict[tuple[str, ...], dict] = {(): criterion.judge((), reference)}

    def fails(part: tuple[str, ...]) -> bool:
        rows[part] = criterion.judge(part, attempts.attempt(part))
        return rows[part]["fails"]

    minimal = ddmin.minimal(case.switches, fails) if fails(case.switches) else ()
    kernel: dict = _kernel(minimal, criterion, attempts) if minimal else {"kernel": None}
    rows |= kernel.pop("rows", None) or {}
    before = relative(case.native, reference.answers())
    again = relative(case.compiled, whole.answers())
    facts = {
        "images": _images(case, reference.answers()),
        "criterion": criterion.name,
        "tolerance": TOLERANCE,
        "before_passes": {
            "difference": storable(before.max()),
            "labels_differ": int((top(case.native) != top(reference.answers())).sum()),
            "differs": bool(before.max() > TOLERANCE),
        },
        "reproduced": {
            "difference": storable(again.max()),
            "same": bool(again.max() <= TOLERANCE),
        },
        "switches": list(case.switches),
        "sets": list(rows.values()),
        "minimal": list(minimal),
    }
    return facts | kernel, reference.answers()


def _images(case: Case, reference: np.ndarray) -> list[dict]:
    answers = {"native": case.native, "reference": reference, "cell": case.compiled}
    return images(case.images, answers)


def _kernel(minimal: tuple[str, ...], criterion: Criterion, attempts: Attempts) -> dict:
    """The facts about the kernel at which a failing set leaves its comparison."""
    failing, reference = attempts.attempt(minimal), attempts.attempt(())
    rows, against = {}, "the reference"
    passes = tuple(item for item in minimal if not item.startswith(SCHEDULE))
    if passes != minimal:
        # a schedule brings its own kernels: do these differ, or only the scheduled code?
        kernels = attempts.attempt(passes, PACKED)
        row = criterion.judge((*passes, PACK_OPERATORS), kernels)
        rows[(*passes, PACK_OPERATORS)] = row
        if not row["fails"] and not row["error"]:
            reference, against = kernels, "the same graph, unscheduled"
    far = relative(reference.answers(), failing.answers())
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
    if outcome.result is not None:
        return outcome.result
    failure = outcome.failure
    return {"kernel": None, "kernel_error": f"{failure.type}: {failure.message}" if failure else ""}
