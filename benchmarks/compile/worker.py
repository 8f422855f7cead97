"""Load a model by one of the study's runners, and time it as often as each line on stdin says."""

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np

from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing


def main(runner: str, path: str, threads: str, settings: str, preprocessing: str, pixels: str):
    """Answer each line, a number of runs, with a JSON list of their seconds."""
    how = Preprocessing(**json.loads(preprocessing))
    image = np.load(pixels, allow_pickle=False)
    module = import_module(f"deltann.runners.{runner}")
    with module.Runner(Path(path), int(threads), **json.loads(settings)) as loaded:
        batch = normalise(image, how, layout(loaded.input_shape, how))
        loaded.infer(batch)
        print("ready", flush=True)
        for line in sys.stdin:
            seconds = []
            for _ in range(int(line)):
                start = time.perf_counter()
                loaded.infer(batch)
                seconds.append(time.perf_counter() - start)
            print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
