"""Ours or TVM's: whether this project is the cause of what goes wrong in a compilation.

The measure is TVM alone: the model as its importer left it, without passes, repairs and schedules
of this project. If TVM's own pass lowers the precision, what this project does before it is
measured in float32; and what it does after it, by the model that TVM alone makes of that.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.cell import UNSCHEDULED
from deltann.errors import StudyError
from deltann.ours import Fault
from deltann.tolerance import TOLERANCE
from deltann.tvm import target_kinds
from deltann.tvm.answers import NoAnswer, answers, build
from deltann.tvm.compilation import Compilation, half_precision
from deltann.tvm.passes import GraphPass

if TYPE_CHECKING:
    import numpy as np

# Sums of float32 in another order stay below `TOLERANCE` of the largest output. Half precision has
# 13 bits fewer. TVM's fast exp, tanh and erf are right to about 1e-5, and later layers amplify it.
HALF_PRECISION = 100
FAST_MATH = 10
# What the schedules and code for a target are called that can't run here.
CODE = "the schedules and the code for the target"
SCHEDULES = "the schedules of the kernels"


def check(compilation: Compilation, library: Path, taken: str) -> dict:
    """Compare what a library answers to one image with what TVM alone makes of the model.

    Args:
        compilation: how it was made.
        library: the library, on disk.
        taken: the type of the image.

    Returns:
        `difference` of the answers as in `spot_check.difference`, and its `tolerance`. If the
        difference is larger, no pass of ours is the cause. Nothing if TVM alone has no answer.

    Raises:
        Fault: the first pass of ours that changed the answer, or our schedules.
    """
    original = compilation.imported.original
    shape = tuple(int(side) for side in original["main"].params[0].ty.shape)
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        judge = _Judge(Path(folder), compilation, spot_check.image(shape, taken))
        try:
            before = judge.start()
        except StudyError:
            raise
        except Exception as error:  # TVM alone has no answer: it may fail as it likes
            spot_check.not_checked("what the passes and schedules for TVM do to the model", error)
            return {}
        after = judge.final(library)
        apart, tolerance = _difference(before, after), judge.tolerance(before)
        if apart > tolerance:
            tolerance = max(tolerance, judge.sensitivity(before))
        if apart > tolerance:
            judge.find_after(after, tolerance)
    return {"difference": apart, "tolerance": tolerance}


class _Judge:
    """Compiles modules by TVM alone, for this machine, and runs them on one image.

    Attributes:
        reference: the module that what this project does is measured by.
    """

    def __init__(self, folder: Path, compilation: Compilation, image: "np.ndarray") -> None:
        self.folder, self.compilation, self.image = folder, compilation, image
        self.number, self.reference = 0, compilation.imported.original

    def start(self) -> "np.ndarray":
        """The answer of the reference; with its precision lowered, if TVM's own pass does that.

        Raises:
            Fault: what of this project's comes before that pass changed the answer.
            Exception: TVM alone has no answer.
        """
        before = self.answer(self.reference)
        first, _ = self.compilation.split()
        if not first:
            return before
        *ours_too, lowering = first
        prepared = self.compilation.apply(self.reference, ours_too)
        if _difference(before, self._answer_if_any(prepared)) > self.tolerance(before):
            self._find(ours_too, max(self.tolerance(before), self.sensitivity(before)))
        self.reference = self.compilation.apply(prepared, [lowering])
        return self.answer(self.reference)

    def _answer_if_any(self, module: Any) -> "np.ndarray | None":
        """What a module answers; None if it can't be compiled, or doesn't run."""
        try:
            return self.answer(module)
        except Exception:  # of any class: `_find` finds out whose
            return None

    def answer(self, module: Any, image: "np.ndarray | None" = None) -> "np.ndarray":
        """What a module answers.

        Raises:
            NoAnswer: it doesn't run.
            Exception: TVM's, if it can't be compiled.
        """
        self.number += 1
        library = self.folder / f"{self.number}.so"
        build(module, library)
        return answers([library], self.image if image is None else image)[0]

    def final(self, library: Path) -> "np.ndarray | None":
        """What the compiled library answers; what its kernels do, if it can't run here.

        Returns:
            None if it has no answer.
        """
        reason = self.compilation.foreign()
        if not reason:
            copy = shutil.copyfile(library, self.folder / "final.so")
            try:
                return answers([copy], self.image)[0]
            except NoAnswer as error:
                if str(error) != "SIGILL":
                    return None
                reason = "this machine's processor lacks an instruction of it"
        spot_check.not_checked(CODE, reason)
        try:
            original = self.compilation.imported.original
            return self.answer(self.compilation.apply(original, self.compilation.sequence()))
        except NoAnswer:
            return None

    def tolerance(self, answer: "np.ndarray") -> float:
        """The largest difference that is none, for a model that doesn't amplify rounding."""
        import numpy as np

        if np.issubdtype(answer.dtype, np.integer):  # another of the neighbouring values
            return 2 / max(1, int(np.abs(answer.astype(np.int64)).max()))
        fast = FAST_MATH if "FastMathTransform" in self.compilation.passes else 1
        half = HALF_PRECISION if half_precision(self.reference) else 1
        return TOLERANCE * max(fast, half)

    def sensitivity(self, answer: "np.ndarray") -> float:
        """The tolerance for a model that amplifies rounding."""
        half = HALF_PRECISION if half_precision(self.reference) else 1
        return spot_check.sensitivity(
            lambda image: self.answer(self.reference, image),
            self.image,
            answer,
            spot_check.NOISE * half,
            calls=0,  # each would compile the model again
        )

    def find_after(self, after: "np.ndarray | None", tolerance: float) -> None:
        """Look for what of this project changed the answer, after the reference.

        Raises:
            Fault: naming it.
        """
        _, items = self.compilation.split()
        apart = _difference(self.answer(self._find(items, tolerance)), after)
        if self.compilation.scheduled and apart > tolerance:
            raise spot_check.changed(SCHEDULES, apart, tolerance)

    def _find(self, items: list, tolerance: float) -> Any:
        """The reference after passes, each of this project's compared with the module before."""
        import tvm_ffi

        module = self.reference
        for item in items:
            rewritten = self.compilation.apply(module, [item])
            same = tvm_ffi.structural_equal(module, rewritten)
            if isinstance(item, GraphPass) and not same:
                self._compare(item.what, module, rewritten, tolerance)
            module = rewritten
        return module

    def _compare(self, what: str, module: Any, rewritten: Any, tolerance: float) -> None:
        """Compare a module's answer before and after a pass of ours."""
        before = self.answer(module)
        try:
            after = self.answer(rewritten)
        except Exception as error:
            raise Fault(
                what, f"broke the model, which ran before: {type(error).__name__}: {error}"
            ) from error
        spot_check.compare(what, before, after, tolerance)


@contextmanager
def judging(compilation: Compilation) -> Iterator[None]:
    """Judge what a compilation raises inside: see `judge_failure`."""
    try:
        yield
    except StudyError:
        raise
    except Exception as error:  # of any class: ours or TVM's is the question
        judge_failure(compilation, error)
        raise


def judge_failure(compilation: Compilation, error: Exception) -> None:
    """Find out whose failure a compilation's exception is; if it is TVM's, let it say so.

    Args:
        compilation: that failed.
        error: the exception; its message is extended.

    Raises:
        Fault: TVM alone compiles the model, so what this project did to it is the cause.
    """
    try:
        _compile(compilation, compilation.sequence(0))
    except Exception as alone:  # of any class: TVM's
        same = f"{type(alone).__name__}: {alone}" == f"{type(error).__name__}: {error}"
        without = "without this project's passes and schedules TVM fails"
        words = "in the same way" if same else f"too, with {type(alone).__name__}: {alone}"
        error.args = (f"{error} ({without} {words})",)
        return
    mine = [item for item in compilation.split()[1] if isinstance(item, GraphPass)]
    for number, item in enumerate(mine, 1):
        try:
            _compile(compilation, compilation.sequence(number))
        except Exception as cause:
            happened = f"left a model that TVM can't compile: {type(cause).__name__}: {cause}"
            raise Fault(item.what, happened) from error
    happened = f"left kernels that TVM can't compile: {type(error).__name__}: {error}"
    raise Fault(SCHEDULES, happened) from error


def _compile(compilation: Compilation, items: list) -> None:
    """Compile the imported model by passes, for its target, without schedules of ours."""
    import tvm

    kind = target_kinds.get(compilation.tvm_target.kind.name)
    module = compilation.apply(compilation.imported.original, items)
    context = tvm.transform.PassContext(opt_level=3, config={"tirx.disable_assert": True})
    with compilation.tvm_target, context, tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        module, _ = kind.schedule(module, compilation.tvm_target, UNSCHEDULED)
        module = tvm.transform.Sequential(kind.lowering())(module)
        kind.build(module, compilation.tvm_target, Path(folder, "model.so"))


def _difference(before: "np.ndarray", after: "np.ndarray | None") -> float:
    """See `spot_check.difference`; infinity if there is no answer."""
    return float("inf") if after is None else spot_check.difference(before, after)
