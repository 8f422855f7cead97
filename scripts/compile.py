"""Compile a model file by TVM at one level for one device."""

import argparse
import json
from pathlib import Path

from deltann import environment, program, records


def main(options: argparse.Namespace) -> None:
    """Compile in a child process."""
    digest = environment.check(options.environment)
    arguments = {
        "framework": options.framework,
        "level": options.level,
        "target": options.target,
        "source": str(options.source),
    }
    records.produce(
        "compile",
        arguments,
        options.artifact,
        options.record,
        options,
        digest,
        options.source_record,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", required=True, help="format of the model file")
    parser.add_argument("--level", required=True, help="O0 to O4")
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    parser.add_argument("--source", type=Path, required=True, help="the model file to import")
    parser.add_argument("--source-record", type=Path, required=True, help="its record, JSON")
    parser.add_argument("--artifact", type=Path, required=True, help="the library to write")
    parser.add_argument("--record", type=Path, required=True, help="its record, JSON")
    records.arguments(parser)
    program.run(main, parser)
