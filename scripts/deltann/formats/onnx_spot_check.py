"""Run an ONNX model on one image before and after a rewrite of ours.

ONNX Runtime runs it, without optimizations, or else the reference of the ONNX package: not all
environments have the former.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deltann import spot_check
from deltann.ours import WORK, Fault, ours
from deltann.tolerance import TOLERANCE

if TYPE_CHECKING:
    import numpy as np

# The height and width of an image for a model that takes any, unless a size is given.
ANY_SIZE = 64
# Where in its source, and by which condition, ONNX Runtime refused an operator.
SOURCE = re.compile(r"Status Message: /\S+:\d+ .*? was false\. ")


@contextmanager
def unchanged(model: Any, shape: tuple[int, ...] = ()) -> Iterator[None]:
    """Check that what happens inside leaves the model's answer to one image as it was, bit for bit.

    A model that doesn't run before isn't checked, see `spot_check.not_checked`. A batch that the
    file fixes may become 1; then the answer to the first image must be as before, but for rounding.

    Args:
        model: `onnx.ModelProto`, changed inside.
        shape: of the image, for sides that the model leaves open.

    Raises:
        Fault: naming the work that changed the answer, or after which the model doesn't run.
        ValueError: the model was made for larger batches, and doesn't take one image.
    """
    before, done = model.SerializeToString(), len(WORK.done)
    yield
    after = model.SerializeToString()
    if after == before:
        return
    what = ", ".join(WORK.done[done:])
    with ours("making a test image for an ONNX graph"):
        models = _Model(before), _Model(after)
        batch = models[0].batch()
        feeds = [spot_check.image(_sides(item, shape), _dtype(item)) for item in models[1].inputs()]
    if models[1].batch() == 1 and batch > 1:
        _compare_batches(what, batch, *models, feeds[0])
    else:
        _compare(what, *models, feeds)


class _Model:
    """A model that can be run."""

    def __init__(self, content: bytes) -> None:
        import onnx

        self.content, self.model = content, onnx.load_from_string(content)

    def inputs(self) -> list:
        """What must be fed: inputs without a value in the file."""
        graph = self.model.graph
        valued = {item.name for item in graph.initializer}
        return [item for item in graph.input if item.name not in valued]

    def batch(self) -> int:
        """The batch that the first input fixes; 0 if there is none, or it is open."""
        sides = [side for item in self.inputs()[:1] for side in item.type.tensor_type.shape.dim]
        return sides[0].dim_value if sides else 0

    def run(self, feeds: dict[str, "np.ndarray"]) -> dict[str, "np.ndarray"]:
        """The outputs by name."""
        names = [item.name for item in self.model.graph.output]
        return dict(zip(names, self._session().run(names, feeds), strict=True))

    def answer(self, images: "np.ndarray") -> "np.ndarray":
        """The first output, to images for the first input."""
        return next(iter(self.run({self.inputs()[0].name: images}).values()))

    def _session(self) -> Any:
        try:
            import onnxruntime
        except ImportError:
            from onnx.reference import ReferenceEvaluator

            return ReferenceEvaluator(self.model)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(
            self.content, options, providers=["CPUExecutionProvider"]
        )


def _compare(what: str, before: _Model, after: _Model, feeds: list) -> None:
    """Compare what two models make of the same images; inputs and outputs may have other names."""
    old, new = ([item.name for item in model.inputs()] for model in (before, after))
    named = dict(zip(new if {*new} <= {*old} else old, feeds, strict=False))
    try:
        expected = before.run(named)
    except Exception as error:  # of any class: it is a matter of the model before
        spot_check.not_checked(what, error)
        return
    try:
        given = after.run(dict(zip(new, feeds, strict=True)))
    except Exception as error:
        happened = f"broke the model, which ran before: {type(error).__name__}: {error}"
        raise Fault(what, happened) from error
    if len(expected) == len(given):
        expected = dict(zip(given, expected.values(), strict=True))
    for name, answer in given.items():
        spot_check.compare(what, expected[name], answer)


def _compare_batches(
    what: str, batch: int, before: _Model, after: _Model, one: "np.ndarray"
) -> None:
    """Compare the answers to one image in a batch and alone."""
    import numpy as np

    others = spot_check.image((batch - 1, *one.shape[1:]), str(one.dtype), spot_check.SEED + 1)

    def first(image: "np.ndarray") -> "np.ndarray":
        return before.answer(np.concatenate([image, others]))[:1]

    try:
        expected = first(one)
        alike = before.answer(one.repeat(batch, 0))[:1]
        rounding = max(TOLERANCE, spot_check.sensitivity(first, one, expected, calls=0))
    except Exception as error:  # a model that doesn't run as it was is no matter of batches
        spot_check.not_checked(what, error)
        return
    try:
        given = after.answer(one)
        reason = "" if len(given) == 1 else f"it gives {len(given)} answers for one image"
    except Exception as error:
        reason = SOURCE.sub("", str(error).strip().splitlines()[0])
    if not reason and spot_check.difference(expected, alike) > rounding:
        reason = "its answer to an image depends on the others of the batch"
    if reason:
        raise ValueError(
            f"the file is made for batches of {batch} and doesn't take one image; export the model"
            f" again with a batch of 1 or a dynamic batch ({reason})"
        )
    spot_check.compare(what, expected, given, rounding)


def _sides(item: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an input, with a number for each side."""
    sides = [side.dim_value for side in item.type.tensor_type.shape.dim]
    open_sides = shape if len(shape) == len(sides) else (1, *[ANY_SIZE] * (len(sides) - 1))
    return tuple(side or other for side, other in zip(sides, open_sides, strict=True))


def _dtype(item: Any) -> str:
    import onnx

    return str(onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type))
