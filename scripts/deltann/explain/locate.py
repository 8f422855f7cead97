"""Two compilations of a model, kernel by kernel, on one image."""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deltann.explain import dataflow
from deltann.explain.attempt import GRAPH, LIBRARY, SCHEDULED
from deltann.explain.dataflow import INPUT, Step
from deltann.explain.script import function
from deltann.explain.tensors import Difference, Index, difference
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.runners.tvm import Runner

# Kernels before and after the one found that are listed with it.
AROUND = 6


class Written(NamedTuple):
    """A tensor that a kernel wrote: the kernel, the shapes it read, by whom, and the content.

    Attributes:
        writers: for each tensor read, the number of the one written before; `INPUT` for the
            model's input, None for a constant.
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
        failing: another.
        aligned: whether both have the same graph, and so the same kernels in the same order.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        pixels: .npy file, uint8 (1, y, x, channel).
        threads: of TVM's runtime.

    Returns:
        `kernels`: how many tensors each wrote; `kernel`: what is to be said of the one found, or
        None; `around`: those that ran before and after it.
    """
    how = Preprocessing(**preprocessing)
    (image,) = np.load(pixels, allow_pickle=False)
    before, batch = traced(Path(reference), image, how, threads)
    after, _ = traced(Path(failing), image, how, threads)
    index = Index([batch, *(item.content for item in before)])
    if aligned:
        differences = compared(before, after)
        counterparts = [None if d.matters else n for n, d in enumerate(differences, 1)]
    else:
        counterparts = [index.find(item.content) for item in after]
    steps = [
        Step(tuple(w for w in item.writers if w is not None), found is not None)
        for item, found in zip(after, counterparts, strict=True)
    ]
    number = dataflow.culprit(steps)
    result = {"kernels": {"reference": len(before), "failing": len(after)}}
    if number is None:
        return result | {"kernel": None, "around": []}
    if aligned:
        nearest = number + 1, differences[number]
    else:
        known = {found for found in counterparts if found is not None}
        likely = readers(before, given(after[number], counterparts))
        nearest = index.nearest(after[number].content, likely, known)
    names = ["the image", *labelled(before)]
    kernel = described(after, number, counterparts, names) | told(nearest, names)
    kernel["rerouted"] = rerouted(before, after, number, counterparts, nearest)
    place = Path(failing)
    kernel["script"] = function((place / GRAPH).read_text(encoding="utf-8"), kernel["name"])
    scheduled = function((place / SCHEDULED).read_text(encoding="utf-8"), kernel["name"])
    kernel["scheduled_script"] = scheduled if scheduled != kernel["script"] else None
    return result | {"kernel": kernel, "around": around(after, number, counterparts, names)}


def traced(folder: Path, image: np.ndarray, how: Preprocessing, threads: int):
    """Run a library on an image: what each kernel wrote (list of `Written`), and the input."""
    found: list[Written] = []
    last: dict[int, int] = {}
    sums: list[int] = []

    def observe(_, name, before_run, __, *arguments):
        if name.startswith("vm.builtin."):
            return
        tensors = [item for item in arguments if hasattr(item, "data_ptr")]
        arrays = [np.array(item.numpy()) for item in tensors]  # copies: memory is used again
        now = [zlib.crc32(item) for item in arrays]
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
            found.append(Written(name, shapes, writers, arrays[n]))
            last[tensors[n].data_ptr()] = len(found) - 1

    with Runner(folder / LIBRARY, threads) as loaded:
        batch = normalise(image, how, layout(loaded.input_shape, how.crop))
        given = loaded.tvm.runtime.tensor(batch)
        last[given.data_ptr()] = INPUT
        loaded.machine.set_instrument(observe)
        loaded.machine["main"](given)
    return found, batch


def compared(before: list[Written], after: list[Written]) -> list[Difference]:
    """How the tensors of the same graph's kernels differ, one after the other.

    Raises:
        ValueError: the graphs aren't the same.
    """
    names = [[(item.kernel, item.content.shape) for item in items] for items in (before, after)]
    if names[0] != names[1]:
        raise ValueError("the scheduled and the unscheduled graph run other kernels")
    return [difference(a.content, b.content) for a, b in zip(before, after, strict=True)]


def given(item: Written, counterparts: list[int | None]) -> list[int | None]:
    """What a kernel read that isn't constant, by its numbers in the index; None if not there.

    The index has the model's input first, and so what the reference wrote one further on.
    """
    return [
        0 if writer == INPUT else counterparts[writer]
        for writer in item.writers
        if writer is not None
    ]


def own(item: Written) -> list[int]:
    """The same of a kernel of the reference."""
    return [writer + 1 for writer in item.writers if writer is not None]


def readers(before: list[Written], read: list[int | None]) -> set[int]:
    """The reference's tensors, by their numbers in the index, that are made from one of these."""
    return {n for n, item in enumerate(before, 1) if set(own(item)) & (set(read) - {None})}


def rerouted(
    before: list[Written],
    after: list[Written],
    number: int,
    counterparts: list[int | None],
    nearest: tuple[int, Difference] | None,
) -> list[str]:
    """The kernels whose tensors one kernel reads in another order than the reference's does.

    None where it reads what it should in the order in which it should: then it is at fault itself.
    """
    if nearest is None or not nearest[0]:
        return []
    read, wanted = given(after[number], counterparts), own(before[nearest[0] - 1])
    if None in read or sorted(read) != sorted(wanted):
        return []
    writers = [writer for writer in after[number].writers if writer is not None]
    names = labelled(after)
    return [
        "the image" if writer == INPUT else names[writer]
        for writer, one, other in zip(writers, read, wanted, strict=True)
        if one != other
    ]


def labelled(items: list[Written]) -> list[str]:
    """The kernels' names with their places in the run, from 1: one kernel may run often."""
    return [f"{item.kernel} (#{place})" for place, item in enumerate(items, 1)]


def described(
    after: list[Written], number: int, counterparts: list[int | None], names: list[str]
) -> dict:
    """A kernel's name, its result's shape, and what it read."""
    item = after[number]
    inputs, labels = [], labelled(after)
    for shape, writer in zip(item.shapes, item.writers, strict=True):
        known = None if writer in (None, INPUT) else counterparts[writer]
        by = {None: "a constant", INPUT: "the image"}.get(writer) or labels[writer]
        same = None if known is None else names[known]
        inputs.append({"shape": list(shape), "written_by": by, "same_as": same})
    shape = list(item.content.shape)
    return {"name": item.kernel, "number": number + 1, "shape": shape, "inputs": inputs}


def told(nearest: tuple[int, Difference] | None, names: list[str]) -> dict:
    """The reference's tensor that a result should be, as far as is known, and how it differs."""
    if nearest is None:
        return {"should_be": None, "difference": None}
    number, found = nearest
    return {"should_be": names[number], "difference": finite(found)}


def finite(found: Difference) -> dict:
    """A difference as JSON holds it: None in place of infinity."""
    return {k: v if v < float("inf") else None for k, v in found._asdict().items()}


def around(
    after: list[Written], number: int, counterparts: list[int | None], names: list[str]
) -> list[dict]:
    """The kernels that ran before and after one, and what each one's result is in the reference."""
    start = max(0, number - AROUND)
    return [
        {
            "number": place + 1,
            "name": after[place].kernel,
            "shape": list(after[place].content.shape),
            "same_as": None if counterparts[place] is None else names[counterparts[place]],
        }
        for place in range(start, min(len(after), number + AROUND + 1))
    ]
