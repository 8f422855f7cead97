"""The process of `deltann.operators.loop`: a task for each line of its standard input.

Run as `python -m deltann.operators.worker <task> <common arguments> <descriptor for answers>`.
"""

import json
import os
import sys
import traceback
from typing import Any

from deltann.errors import StudyError
from deltann.execution import messages
from deltann.operators import tasks
from deltann.ours import Fault


def main(task: str, common: dict, descriptor: int) -> None:
    """Answer each line with `ok`, or the `type` and `message` of an exception."""
    answers = os.fdopen(descriptor, "w")
    function = tasks.get(task)
    for line in sys.stdin:
        print(json.dumps(_call(function, common | json.loads(line))), file=answers, flush=True)
    os._exit(0)  # some runtimes crash while they unload


def _call(function: Any, arguments: dict) -> dict:
    try:
        function(**arguments)
    except Fault as error:
        # A spot check of ours that fails on one odd operator is worth knowing; it isn't the tool's.
        return _told("Fault", str(error))
    except StudyError as error:
        return _told(type(error).__name__, str(error)) | {"ours": True}
    except (Exception, SystemExit) as error:  # a foreign tool may raise anything, also exit
        traceback.print_exc()
        return _told(type(error).__name__, str(error) or repr(error))
    return {"ok": True}


def _told(kind: str, message: str) -> dict:
    text = messages.telling(message)
    return {"ok": False, "type": kind, "message": text, "traceback": traceback.format_exc()}


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
