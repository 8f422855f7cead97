"""One set of passes, with a schedule or without: compiled, and run on some images."""

import os
from pathlib import Path

import numpy as np

from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.provenance import files
from deltann.runners.tvm import Runner
from deltann.stages import compile
from deltann.stages.infer import check_shape

LIBRARY, GRAPH, SCHEDULED, LOGITS = "model.so", "graph.txt", "scheduled.txt", "logits.npy"


def work(compilation: dict, preprocessing: dict, pixels: str, threads: int, folder: str) -> dict:
    """Compile, run, and leave the library, its TVMScripts and the logits.

    Args:
        compilation: arguments of `deltann.stages.compile.work` but the files it writes.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        pixels: .npy file, uint8 (image, y, x, channel).
        threads: of TVM's runtime.
        folder: to write to; the logits are float32 (image, class).

    Returns:
        Nothing: an empty dictionary.
    """
    os.environ["TVM_NUM_THREADS"] = str(threads)  # read once, when TVM starts its pool
    place = Path(folder)
    written = {"output": LIBRARY, "graph": GRAPH, "scheduled": SCHEDULED}
    paths = {name: str(place / file) for name, file in written.items()}
    details = compile.work(**compilation, **paths)
    files.write_json(place / f"{LIBRARY}.json", {"details": details})
    how = Preprocessing(**preprocessing)
    images = np.load(pixels, allow_pickle=False)
    with Runner(place / LIBRARY, threads) as loaded:
        order = layout(loaded.input_shape, how.crop)
        answers = [loaded.infer(normalise(image, how, order)) for image in images]
    check_shape(answers[0], how)
    np.save(place / LOGITS, np.concatenate(answers)[:, how.background :])
    return {}
