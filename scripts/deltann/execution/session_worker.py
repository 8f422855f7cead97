"""The process of a session: make an object, call its methods, one line of JSON each.

Run by `deltann.execution.session` as `python -m deltann.execution.session_worker`.
"""

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.execution import worker

if TYPE_CHECKING:
    pass

# The first call: its arguments are those of `Served`.
MAKE = "__init__"
ARRAY = "__array__"
# A file of this size has no numbers.
HEADER = 128


def main(module: str, folder: Path) -> None:
    """Answer calls until the standard input ends.

    Args:
        module: has a class `Served`.
        folder: for arrays that are too large for a line.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a foreign tool's own output goes to the log
    served: Any = None
    for line in sys.stdin:
        request = decode(line, folder)
        try:
            arguments = request["arguments"]
            if request["method"] == MAKE:
                served, result = import_module(module).Served(**arguments), None
            else:
                result = getattr(served, request["method"])(**arguments)
            text = encode({"result": result}, folder, "answer")
        except Exception as error:  # a foreign tool may raise anything
            traceback.print_exc()
            text = json.dumps(worker.describe(error))
        answers.write(text.encode() + b"\n")
        answers.flush()
    os._exit(0)  # some runtimes crash while they unload


def encode(value: Any, folder: Path, name: str) -> str:
    """A value as one line of JSON; its arrays go to files in a folder, without pickle.

    Args:
        value: of dictionaries, lists, arrays, and what else JSON can hold.
        folder: for the files.
        name: how the files' names begin.
    """
    import numpy as np

    count = 0

    def stored(item: Any) -> Any:
        nonlocal count
        if isinstance(item, np.ndarray):
            path = folder / f"{name}{count}.npy"
            count += 1
            np.save(path, np.ascontiguousarray(item).reshape(item.shape), allow_pickle=False)
            return {ARRAY: path.name}
        if isinstance(item, dict):
            return {key: stored(inner) for key, inner in item.items()}
        if isinstance(item, (list, tuple)):
            return [stored(inner) for inner in item]
        return item.item() if isinstance(item, np.generic) else item

    return json.dumps(stored(value))


def decode(text: str, folder: Path) -> Any:
    """What `encode` encoded; tuples come back as lists, arrays stay on disk until they are read.

    Their files are removed: the system keeps what is still mapped.
    """
    import numpy as np

    def restored(item: dict) -> Any:
        if set(item) != {ARRAY}:
            return item
        path = folder / item[ARRAY]
        if path.stat().st_size > HEADER:
            array = np.load(path, mmap_mode="c", allow_pickle=False)
        else:  # it can't be mapped
            array = np.load(path, allow_pickle=False)
        path.unlink()
        return array

    return json.loads(text, object_hook=restored)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
