"""Compile one set of passes, with a schedule or without, and run it on some images."""

import os
from pathlib import Path

import numpy as np

from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing
from deltann.provenance import files
from deltann.runners.tvm import Runner
from deltann.stages import compile

LIBRARY, GRAPH, SCHEDULED, LOGITS = "model.so", "graph.txt", "scheduled.txt", "logits.npy"


def work(compilation: dict, preprocessing: dict, pixels: str, threads: int, folder: str) -> dict:
    """Compile and run; write the library, its TVMScripts and the logits.

    Args:
        compilation: arguments of `deltann.stages.compile.compile_file` without the files it writes.
        preprocessing: the fields of `deltann.images.preprocessing.Preprocessing`.
        pixels: .npy file, uint8 (image, y, x, channel).
        threads: threads of TVM's runtime.
        folder: the folder to write to; the logits are float32 (image, class).

    Returns:
        Nothing: an empty dictionary.
    """
    os.environ["TVM_NUM_THREADS"] = str(threads)  # read once, when TVM starts its pool
    output = Path(folder)
    written = {"output": LIBRARY, "graph": GRAPH, "scheduled": SCHEDULED}
    paths = {name: str(output / file) for name, file in written.items()}
    details = compile.compile_file(**(compilation | paths))
    files.write_json(output / f"{LIBRARY}.json", {"details": details})
    convention = Preprocessing(**preprocessing)
    images = np.load(pixels, allow_pickle=False)
    with Runner(output / LIBRARY, threads) as loaded:
        order = layout(loaded.input_shape, convention)
        answers = [loaded.infer(normalise(image, convention, order)) for image in images]
    convention.check_output(answers[0].shape)
    np.save(output / LOGITS, np.concatenate(answers)[:, convention.background :])
    return {}
