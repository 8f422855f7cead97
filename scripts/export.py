"""Export a model with its weights to the native file of its source framework."""

import argparse
from pathlib import Path

from deltann import environment, program, records


def main(options: argparse.Namespace) -> None:
    """Export in a child process."""
    digest = environment.check(options.environment)
    records.produce(
        "export", {"model": options.model}, options.artifact, options.record, options, digest
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="name of the model")
    parser.add_argument("--artifact", type=Path, required=True, help="the model file")
    parser.add_argument("--record", type=Path, required=True, help="the record, JSON")
    records.arguments(parser)
    program.run(main, parser)
