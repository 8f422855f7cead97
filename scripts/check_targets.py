"""Print what is wrong with the processors that TVM shall compile for; nothing if LLVM knows all."""

import argparse
import json

from deltann.errors import StudyError
from deltann.execution import cli
from deltann.tvm import llvm_names


def main(options: argparse.Namespace) -> None:
    """Ask the LLVM of this environment's TVM."""
    try:
        for key, target in options.targets.items():
            llvm_names.check(key, target)
    except StudyError as error:
        print(error)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--targets", type=json.loads, required=True, help="by the config's keys, JSON"
    )
    cli.run(main, parser)
