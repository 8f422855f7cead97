"""Compare two compilations of a model kernel by kernel, on one image."""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deltann.explain import dataflow
from deltann.explain.attempt import GRAPH, LIBRARY, SCHEDULED
from deltann.explain.dataflow import INPUT, Step
from deltann.explain.script import function
from deltann.explain.tensors import Difference, Index, difference
from deltann.formats.tensor_types import encode
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.runners.tvm import Runner

# So many kernels before and after the culprit are listed with it.
AROUND = 6


class Written(NamedTuple):
    """A tensor that a kernel wrote.

    Attributes:
        kernel: the kernel's name.
        shapes: the shapes of the tensors it read.
        writers: for each tensor read, the number of the `Written` that holds it; `INPUT` for the
            model's input, None for a constant.
        content: the tensor.
    """

    kernel: str
    shapes: tuple[tuple[int, ...], ...]
    writers: tuple[int | None, ...]
    content: np.ndarray


def work(
    reference: str, failing: str, aligned: bool, preprocessing: dict, pixels: str, threads: int
) -> dict:
    """Find the kernel at which the failing compilation leaves the reference.

    Args:
        reference: folder that `attempt` wrote.
        failing: another such folder.
        aligned: whether both have the same graph, and so the same kernels in the same order.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        pixels: .npy file, uint8 (1, y, x, channel).
        threads: threads of TVM's runtime.

    Returns:
        `kernels`: how many tensors each compilation wrote; `kernel`: the facts about the culprit,
        or None; `around`: the kernels that ran before and after it.
    """
    convention = Preprocessing(**preprocessing)
    (image,) = np.load(pixels, allow_pickle=False)
    before, batch = traced(Path(reference), image, convention, threads)
    after, _ = traced(Path(failing), image, convention, threads)
    index = Index([batch, *(item.content for item in before)])
    if aligned:
        differences = compared(before, after)
        counterparts = [None if d.matters else n for n, d in enumerate(differences, 1)]
    else:
        counterparts = [index.find(item.content) for item in after]
    steps = [
        Step(tuple(w for w in item.writers if w is not None), counterpart is not None)
        for item, counterpart in zip(after, counterparts, strict=True)
    ]
    number = dataflow.culprit(steps)
    result = {"kernels": {"reference": len(before), "failing": len(after)}}
    if number is None:
        return result | {"kernel": None, "around": []}
    nearest: tuple[int, Difference] | None
    if aligned:
        nearest = number + 1, differences[number]
    else:
        matched = {counterpart for counterpart in counterparts if counterpart is not None}
        likely = readers(before, read_by(after[number], counterparts))
        nearest = index.nearest(after[number].content, likely, matched)
    names = ["the image", *labelled(before)]
    kernel = described(after, number, counterparts, names) | expected(nearest, names)
    kernel["rerouted"] = rerouted(before, after, number, counterparts, nearest)
    kernel |= scripts(Path(failing), kernel["name"])
    return result | {"kernel": kernel, "around": around(after, number, counterparts, names)}


def traced(
    folder: Path, image: np.ndarray, convention: Preprocessing, threads: int
) -> tuple[list[Written], np.ndarray]:
    """Run a library on an image.

    Args:
        folder: a folder that `attempt` wrote.
        image: uint8 (y, x, channel).
        convention: the model's preprocessing.
        threads: threads of TVM's runtime.

    Returns:
        What each kernel wrote, in the order in which they ran; and the model's input.
    """
    written: list[Written] = []
    last: dict[int, int] = {}
    sums: list[int] = []

    def observe(_: Any, name: str, before_run: bool, __: Any, *arguments: Any) -> None:
        if name.startswith("vm.builtin."):
            return
        tensors = [item for item in arguments if isinstance(item, tensor_type)]
        arrays = [np.array(item.numpy()) for item in tensors]  # copies: memory is used again
        now = [zlib.crc32(item.data) for item in arrays]
        if before_run:
            sums[:] = now
            return
        # a kernel's last tensor is its result; so are the others that it changed
        changed = [a != b for a, b in zip(sums, now, strict=True)]
        results = [n for n, new in enumerate(changed) if new or n == len(arrays) - 1]
        reads = [n for n in range(len(arrays)) if n not in results]
        shapes = tuple(arrays[n].shape for n in reads)
        writers = tuple(last.get(tensors[n].data_ptr()) for n in reads)
        for n in results:
            written.append(Written(name, shapes, writers, arrays[n]))
            last[tensors[n].data_ptr()] = len(written) - 1

    with Runner(folder / LIBRARY, threads) as loaded:
        tensor_type = loaded.tvm.runtime.Tensor
        batch = normalise(image, convention, layout(loaded.input_shape, convention))
        batch = encode(batch, loaded.input_type)
        model_input = loaded.tvm.runtime.tensor(batch)
        last[model_input.data_ptr()] = INPUT
        loaded.virtual_machine.set_instrument(observe)
        loaded.virtual_machine["main"](model_input)
    return written, batch


def compared(before: list[Written], after: list[Written]) -> list[Difference]:
    """The differences of two runs of the same kernels in the same order.

    Raises:
        ValueError: the kernels aren't the same.
    """
    names = [[(item.kernel, item.content.shape) for item in items] for items in (before, after)]
    if names[0] != names[1]:
        raise ValueError("the scheduled and the unscheduled graph run different kernels")
    return [difference(a.content, b.content) for a, b in zip(before, after, strict=True)]


# The index has the model's input first, and then what the reference wrote: its tensor n has the
# number n + 1 there.


def read_by(item: Written, counterparts: list[int | None]) -> list[int | None]:
    """Index numbers of the tensors that a failing kernel read, without constants.

    None for a tensor that the reference lacks.
    """
    return [
        0 if writer == INPUT else counterparts[writer]
        for writer in item.writers
        if writer is not None
    ]


def read_by_reference(item: Written) -> list[int]:
    """Index numbers of the tensors that a kernel of the reference read, without constants."""
    return [writer + 1 for writer in item.writers if writer is not None]


def readers(before: list[Written], read: list[int | None]) -> set[int]:
    """Index numbers of the reference's tensors that are computed from one of these."""
    return {n for n, item in enumerate(before, 1) if set(read_by_reference(item)) & set(read)}


def rerouted(
    before: list[Written],
    after: list[Written],
    number: int,
    counterparts: list[int | None],
    nearest: tuple[int, Difference] | None,
) -> list[str]:
    """The kernels whose tensors the culprit reads in another order than the reference's kernel.

    Empty if it reads the right tensors in the right order: then the culprit itself is at fault.
    """
    if nearest is None or not nearest[0]:
        return []
    read = read_by(after[number], counterparts)
    right = read_by_reference(before[nearest[0] - 1])
    known = [item for item in read if item is not None]
    if len(known) < len(read) or sorted(known) != sorted(right):
        return []
    writers = [writer for writer in after[number].writers if writer is not None]
    names = labelled(after)
    return [
        "the image" if writer == INPUT else names[writer]
        for writer, one, other in zip(writers, read, right, strict=True)
        if one != other
    ]


def labelled(items: list[Written]) -> list[str]:
    """The kernels' names with their numbers in the run, from 1: one kernel may run often."""
    return [f"{item.kernel} (#{number})" for number, item in enumerate(items, 1)]


def described(
    after: list[Written], number: int, counterparts: list[int | None], names: list[str]
) -> dict:
    """A kernel's name, its result's shape, and what it read."""
    item = after[number]
    inputs, labels = [], labelled(after)
    for shape, writer in zip(item.shapes, item.writers, strict=True):
        counterpart = None if writer is None or writer == INPUT else counterparts[writer]
        if writer is None:
            by = "a constant"
        else:
            by = "the image" if writer == INPUT else labels[writer]
        same = None if counterpart is None else names[counterpart]
        inputs.append({"shape": list(shape), "written_by": by, "same_as": same})
    own = list(item.content.shape)
    return {"name": item.kernel, "number": number + 1, "shape": own, "inputs": inputs}


def expected(nearest: tuple[int, Difference] | None, names: list[str]) -> dict:
    """Which of the reference's tensors a result should be, and how it differs; None if unknown."""
    if nearest is None:
        return {"should_be": None, "difference": None}
    number, differs = nearest
    return {"should_be": names[number], "difference": finite(differs)}


def finite(differs: Difference) -> dict:
    """A difference for JSON: None instead of infinity."""
    return {k: v if v < float("inf") else None for k, v in differs._asdict().items()}


def scripts(folder: Path, kernel: str) -> dict[str, str | None]:
    """A kernel's TVMScript before scheduling, and after it if that differs."""
    texts = [(folder / name).read_text(encoding="utf-8") for name in (GRAPH, SCHEDULED)]
    plain, scheduled = (function(text, kernel) for text in texts)
    return {"script": plain, "scheduled_script": scheduled if scheduled != plain else None}


def around(
    after: list[Written], number: int, counterparts: list[int | None], names: list[str]
) -> list[dict]:
    """The kernels that ran before and after one, each with its counterpart in the reference."""
    start = max(0, number - AROUND)
    return [
        {
            "number": n + 1,
            "name": after[n].kernel,
            "shape": list(after[n].content.shape),
            "same_as": None if (same := counterparts[n]) is None else names[same],
        }
        for n in range(start, min(len(after), number + AROUND + 1))
    ]
