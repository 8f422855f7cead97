"""Compile a lowered model by TVM for one device."""

import argparse
import json

from deltann import program, records


def main(options: argparse.Namespace) -> None:
    """Compile in a child process."""
    records.produce("compile", {"target": options.target}, options)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=json.loads, required=True, help="TVM target, JSON")
    records.arguments(parser)
    program.run(main, parser)
