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
        request = decode(line, folder / "request.npz")
        try:
            arguments = request["arguments"]
            if request["method"] == MAKE:
                served, result = import_module(module).Served(**arguments), None
            else:
                result = getattr(served, request["method"])(**arguments)
            text = encode({"result": result}, folder / "answer.npz")
        except Exception as error:  # a foreign tool may raise anything
            traceback.print_exc()
            text = json.dumps(worker.describe(error))
        answers.write(text.encode() + b"\n")
        answers.flush()
    os._exit(0)  # some runtimes crash while they unload


def encode(value: Any, file: Path) -> str:
    """A value as one line of JSON; its arrays go to `file`, without pickle."""
    import numpy as np

    arrays: dict[str, np.ndarray] = {}

    def stored(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            arrays[str(len(arrays))] = item
            return {ARRAY: str(len(arrays) - 1)}
        if isinstance(item, dict):
            return {key: stored(inner) for key, inner in item.items()}
        if isinstance(item, (list, tuple)):
            return [stored(inner) for inner in item]
        return item.item() if isinstance(item, np.generic) else item

    text = json.dumps(stored(value))
    if arrays:
        np.savez(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    return text


def decode(text: str, file: Path) -> Any:
    """What `encode` encoded; tuples come back as lists."""
    import numpy as np

    arrays = None

    def restored(item: dict) -> Any:
        nonlocal arrays
        if set(item) != {ARRAY}:
            return item
        if arrays is None:
            with np.load(file, allow_pickle=False) as opened:
                arrays = dict(opened)
        return arrays[item[ARRAY]]

    return json.loads(text, object_hook=restored)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
