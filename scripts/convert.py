"""Convert a model file to another framework by one converter."""

import argparse
import json
from pathlib import Path

from deltann import environment, program, records


def main(options: argparse.Namespace) -> None:
    """Convert in a child process."""
    digest = environment.check(options.environment)
    arguments = {
        "converter": options.converter,
        "settings": options.settings,
        "source": str(options.source),
    }
    records.produce(
        "convert",
        arguments,
        options.artifact,
        options.record,
        options,
        digest,
        options.source_record,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converter", required=True, help="module in deltann.converters")
    parser.add_argument("--settings", type=json.loads, required=True, help="JSON object")
    parser.add_argument("--source", type=Path, required=True, help="the model file to convert")
    parser.add_argument("--source-record", type=Path, required=True, help="its record, JSON")
    parser.add_argument("--artifact", type=Path, required=True, help="the model file to write")
    parser.add_argument("--record", type=Path, required=True, help="its record, JSON")
    records.arguments(parser)
    program.run(main, parser)
