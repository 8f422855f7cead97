"""What every script has in common: one sentence on a fault of the user's, no traceback."""

import argparse
import json
import sys
from collections.abc import Callable

from deltann import fencing
from deltann.errors import StudyError, Transient


def run(main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Parse the command line and call `main`; exit with 1 and a message on a `StudyError`.

    A script of a job stops when the job's run no longer holds the folder.
    """
    options = parser.parse_args()
    fencing.watch_script()
    try:
        fencing.check()
        main(options)
    except (StudyError, Transient, OSError) as error:
        sys.exit(f"{parser.prog}: error: {error}")


def class_names_argument(parser: argparse._ActionsContainer) -> None:
    """Add `--class-names`, which has the arguments of `images.class_names.read`, or nothing."""
    parser.add_argument("--class-names", type=json.loads, help="how classes are named, JSON")
